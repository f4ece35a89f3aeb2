package dev.vivarium.node.driver.guest;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection to a guest over a socket that its event loop reads and writes. */
public final class NettyConnection implements GuestConnection {
    private static final Logger LOG = LoggerFactory.getLogger(NettyConnection.class);

    private final Channel channel;
    private final ByteBuf early;

    /**
     * @param channel must not read by itself
     * @param early the guest's bytes that were read already
     */
    public NettyConnection(Channel channel, ByteBuf early) {
        this.channel = channel;
        this.early = early;
    }

    @Override
    public void begin(Receiver receiver) {
        execute(() -> {
            channel.pipeline().addLast(new Handler(receiver));
            receiver.received(early.nioBuffer());
            early.release();
            if (channel.isActive()) {
                resume();
            } else {
                receiver.ended();
            }
        });
    }

    @Override
    public void write(ByteBuffer bytes, Runnable done) {
        channel.writeAndFlush(Unpooled.wrappedBuffer(bytes)).addListener(written -> done.run());
    }

    @Override
    public void pause() {
        channel.config().setAutoRead(false);
    }

    @Override
    public void resume() {
        channel.config().setAutoRead(true);
    }

    @Override
    public void execute(Runnable task) {
        try {
            channel.eventLoop().execute(task);
        } catch (RejectedExecutionException stopped) {
            // The event loop has ended, so nothing else runs on its thread.
            task.run();
        }
    }

    @Override
    public void close() {
        ChannelFuture unused = channel.close();
    }

    private static final class Handler extends ChannelInboundHandlerAdapter {
        private final Receiver receiver;

        Handler(Receiver receiver) {
            this.receiver = receiver;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            try {
                receiver.received(bytes.nioBuffer());
            } finally {
                bytes.release();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            receiver.ended();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            LOG.debug("A connection to a guest broke: {}", broken.toString());
            ChannelFuture unused = context.close();
        }
    }
}
