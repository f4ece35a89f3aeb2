package dev.vivarium.node.driver.guest;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The few threads that move the bytes of all connections to guests of a driver, however many there are. */
public final class ConnectionLoops implements AutoCloseable {
    /** What they do for each frame takes microseconds; a second thread keeps a flood from holding up the others. */
    private static final int THREADS = 2;

    private static final int READ_BYTES_MAX = 16 * 1024;
    private static final long CLOSE_SECONDS_MAX = 2;

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(
            THREADS, new DefaultThreadFactory("vivarium-channels", true), NioIoHandler.newFactory());

    /**
     * Begins to connect. When that fails, the handlers hear that the channel is not active any more, or the returned
     * channel's close future completes.
     *
     * @param address of a Unix domain socket, or an address of the internet
     * @param timeout how long connecting may take
     * @param handlers what is done with the connection, in this order
     */
    public Channel connect(SocketAddress address, Duration timeout, List<ChannelHandler> handlers) {
        boolean local = address instanceof UnixDomainSocketAddress;
        Bootstrap bootstrap = new Bootstrap()
                .group(loops)
                .channel(local ? NioDomainSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()))
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(READ_BYTES_MAX))
                // What a guest said before its end is read also when it does not read any more.
                .option(ChannelOption.AUTO_CLOSE, false)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        handlers.forEach(channel.pipeline()::addLast);
                    }
                });
        if (!local) {
            bootstrap.option(ChannelOption.TCP_NODELAY, true).option(ChannelOption.SO_KEEPALIVE, true);
        }
        return bootstrap.connect(address).channel();
    }

    /** Closes all connections, and waits for what their receivers do about it. */
    @Override
    public void close() {
        loops.shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
