package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.EgressSubjects;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.dns.DatagramDnsQuery;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers questions that came as datagrams. */
final class DatagramQuestions extends SimpleChannelInboundHandler<DatagramDnsQuery> {
    private static final Logger LOG = LoggerFactory.getLogger(DatagramQuestions.class);

    private final EgressSubjects subjects;
    private final Answers answers;
    private final EgressLedger ledger;

    DatagramQuestions(EgressSubjects subjects, Answers answers, EgressLedger ledger) {
        this.subjects = subjects;
        this.answers = answers;
        this.ledger = ledger;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramDnsQuery query) {
        InetSocketAddress sender = query.sender();
        Optional<EgressSubject> subject = subjects.at(sender.getAddress());
        if (subject.isEmpty()) {
            return;
        }
        Optional<Question> question = Question.of(query);
        if (question.isEmpty()) {
            ledger.denied(subject.get(), "what is not a DNS question", Answers.DNS_PORT, DenialReason.MALFORMED);
            send(context, sender, Reply.notUnderstood(query.id(), context.alloc()));
            return;
        }
        answers.to(subject.get(), question.get())
                .thenAccept(reply -> send(context, sender, reply.encode(question.get(), context.alloc())));
    }

    /** The socket stays open whatever a single datagram causes. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("A datagram was not answered.", cause);
    }

    private static void send(ChannelHandlerContext context, InetSocketAddress to, ByteBuf message) {
        context.writeAndFlush(new DatagramPacket(message, to))
                .addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }
}
