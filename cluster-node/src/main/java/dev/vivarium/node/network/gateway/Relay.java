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
 * Passes bytes on to the other side, as they are. It stops reading while the other side has more to write than it wants to
 * hold, and closes the other side, when what is on its way has been written, once this one has ended.
 */
final class Relay extends ChannelInboundHandlerAdapter {
    private final Channel other;

    private Relay(Channel other) {
        this.other = other;
    }

    /** Joins two connections of one event loop, whatever is left in the pipeline of the client to be passed on. */
    static void join(Channel client, Channel outside) {
        client.pipeline().addLast(new Relay(outside));
        outside.pipeline().addLast(new Relay(client));
        client.config().setAutoRead(true);
        outside.config().setAutoRead(true);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof ByteBuf)) {
            // What a client sent after asking for a tunnel and before it had one, read as another request.
            ReferenceCountUtil.release(message);
            Closing.of(context.channel());
            return;
        }
        other.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        if (!other.isWritable()) {
            context.channel().config().setAutoRead(false);
        }
    }

    /** This side can take more again, or no more for now. */
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
