package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.EgressSubjects;
import dev.vivarium.node.network.Quota;
import io.netty.channel.Channel;
import io.netty.handler.codec.dns.DnsRecordDecoder;
import io.netty.handler.codec.dns.TcpDnsQueryDecoder;
import io.netty.handler.timeout.IdleStateHandler;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Accepts TCP connections of sandboxes up to their limit, and closes all others immediately. */
final class TcpConnections {
    /** Questions are small; padded, as some programs send them, they have 128 or 468 bytes. */
    private static final int QUESTION_BYTES_MAX = 2048;

    private final ResolverSettings settings;
    private final EgressSubjects subjects;
    private final Answers answers;
    private final EgressLedger ledger;
    private final Quota connections;

    TcpConnections(ResolverSettings settings, EgressSubjects subjects, Answers answers, EgressLedger ledger) {
        this.settings = settings;
        this.subjects = subjects;
        this.answers = answers;
        this.ledger = ledger;
        this.connections = new Quota(settings.connectionsMax());
    }

    void accept(Channel channel) {
        Optional<EgressSubject> known = channel.remoteAddress() instanceof InetSocketAddress remote
                ? subjects.at(remote.getAddress())
                : Optional.empty();
        if (known.isEmpty()) {
            Closing.of(channel);
            return;
        }
        EgressSubject subject = known.get();
        if (!connections.take(subject.sandbox())) {
            ledger.denied(subject, "connections to the resolver", Answers.DNS_PORT, DenialReason.TOO_MANY);
            Closing.of(channel);
            return;
        }
        channel.closeFuture().addListener(closed -> connections.giveBack(subject.sandbox()));
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, settings.connectionIdle().toMillis(), TimeUnit.MILLISECONDS))
                .addLast(new TcpDnsQueryDecoder(DnsRecordDecoder.DEFAULT, QUESTION_BYTES_MAX))
                .addLast(new TcpQuestions(subject, answers, ledger));
    }
}
