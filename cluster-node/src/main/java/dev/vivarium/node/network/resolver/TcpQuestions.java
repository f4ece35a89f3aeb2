package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.timeout.IdleStateEvent;
import java.util.Optional;

/**
 * Answers the questions of one connection. The connection is closed when the client does not read its answers and more
 * than a buffer waits, and when it sends something other than a question, since the start of the next one is then
 * unknown.
 */
final class TcpQuestions extends SimpleChannelInboundHandler<DnsQuery> {
    private final EgressSubject subject;
    private final Answers answers;
    private final EgressLedger ledger;

    TcpQuestions(EgressSubject subject, Answers answers, EgressLedger ledger) {
        this.subject = subject;
        this.answers = answers;
        this.ledger = ledger;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, DnsQuery query) {
        Optional<Question> question = Question.of(query);
        if (question.isEmpty()) {
            malformed(context);
            return;
        }
        answers.to(subject, question.get())
                .thenAccept(reply -> send(context, reply.encode(question.get(), context.alloc())));
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (!context.channel().isWritable()) {
            Closing.of(context.channel());
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof IdleStateEvent) {
            Closing.of(context.channel());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof DecoderException) {
            malformed(context);
        } else {
            Closing.of(context.channel());
        }
    }

    private void malformed(ChannelHandlerContext context) {
        ledger.denied(subject, "what is not a DNS question", Answers.DNS_PORT, DenialReason.MALFORMED);
        Closing.of(context.channel());
    }

    private static void send(ChannelHandlerContext context, ByteBuf message) {
        ByteBuf framed = context.alloc().buffer(Short.BYTES + message.readableBytes());
        framed.writeShort(message.readableBytes()).writeBytes(message);
        message.release();
        context.writeAndFlush(framed).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }
}
