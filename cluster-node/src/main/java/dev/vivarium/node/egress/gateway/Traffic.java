package dev.vivarium.node.egress.gateway;

import dev.vivarium.node.egress.EgressLedger;
import dev.vivarium.node.egress.EgressSubject;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/** Counts the bytes of a connection to the outside, and tells them when it has ended. */
final class Traffic extends ChannelDuplexHandler {
    private final EgressSubject subject;
    private final Target target;
    private final EgressLedger ledger;
    private long bytesOut;
    private long bytesIn;

    Traffic(EgressSubject subject, Target target, EgressLedger ledger) {
        this.subject = subject;
        this.target = target;
        this.ledger = ledger;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) throws Exception {
        if (message instanceof ByteBuf bytes) {
            int count = bytes.readableBytes();
            promise.addListener(written -> bytesOut += written.isSuccess() ? count : 0);
        }
        super.write(context, message, promise);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof ByteBuf bytes) {
            bytesIn += bytes.readableBytes();
        }
        super.channelRead(context, message);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        ledger.transferred(subject, target.host(), target.port(), bytesOut, bytesIn);
        super.channelInactive(context);
    }
}
