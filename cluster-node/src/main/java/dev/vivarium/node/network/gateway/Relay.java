package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

/**
 * Passes bytes on to the other side, unchanged. It stops reading while the other side is not writable. When this side
 * ends, it closes the other after pending data is written.
 */
final class Relay extends ChannelInboundHandlerAdapter {
    private final Channel other;

    private Relay(Channel other) {
        this.other = other;
    }

    /**
     * Connects two connections on one event loop in both directions; also passes on data left in the client's pipeline.
     */
    static void join(Channel client, Channel outside) {
        pass(client, outside);
        pass(outside, client);
    }

    /** Passes data from one of two such connections to the other, in this direction only. */
    static void pass(Channel from, Channel to) {
        from.pipeline().addLast(new Relay(to));
        from.config().setAutoRead(true);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof ByteBuf)) {
            // Sent by the client after its CONNECT but before the tunnel was open, and parsed as another request.
            ReferenceCountUtil.release(message);
            Closing.of(context.channel());
            return;
        }
        other.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        if (!other.isWritable()) {
            context.channel().config().setAutoRead(false);
        }
    }

    /** This side can, or cannot for now, take more. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        other.config().setAutoRead(context.channel().isWritable());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        other.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Closing.of(context.channel());
    }
}
