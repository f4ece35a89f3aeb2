package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/**
 * Counts the bytes of a connection to the outside, and tells them after each turn of reading and when it has ended: at a
 * sandbox's end, what it has received is told already.
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
        tell();
        super.channelReadComplete(context);
    }

    private void tell() {
        if (bytesOut > 0 || bytesIn > 0) {
            ledger.transferred(subject, target.host(), target.port(), bytesOut, bytesIn);
            bytesOut = 0;
            bytesIn = 0;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        tell();
        super.channelInactive(context);
    }
}
