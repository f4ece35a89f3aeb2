package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/**
 * Counts a connection's bytes, and reports them after each batch of reads and at its end, so that all received bytes
 * are reported by the time that a sandbox ends.
 */
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
    public void channelReadComplete(ChannelHandlerContext context) throws Exception {
        report();
        super.channelReadComplete(context);
    }

    private void report() {
        if (bytesOut > 0 || bytesIn > 0) {
            ledger.transferred(subject, target.host(), target.port(), bytesOut, bytesIn);
            bytesOut = 0;
            bytesIn = 0;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        report();
        super.channelInactive(context);
    }
}
