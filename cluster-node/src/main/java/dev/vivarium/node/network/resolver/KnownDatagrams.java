package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.EgressSubjects;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.dns.DatagramDnsQueryDecoder;
import java.util.List;
import java.util.Optional;

/** Decodes datagrams of sandboxes, drops others unread, and tolerates those that are not DNS messages. */
final class KnownDatagrams extends DatagramDnsQueryDecoder {
    private final EgressSubjects subjects;
    private final EgressLedger ledger;

    KnownDatagrams(EgressSubjects subjects, EgressLedger ledger) {
        this.subjects = subjects;
        this.ledger = ledger;
    }

    @Override
    protected void decode(ChannelHandlerContext context, DatagramPacket packet, List<Object> out) {
        Optional<EgressSubject> subject = subjects.at(packet.sender().getAddress());
        if (subject.isEmpty()) {
            return;
        }
        try {
            super.decode(context, packet, out);
        } catch (Exception notAMessage) {
            ledger.denied(subject.get(), "what is not a DNS question", Answers.DNS_PORT, DenialReason.MALFORMED);
        }
    }
}
