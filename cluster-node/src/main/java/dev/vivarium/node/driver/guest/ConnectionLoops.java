package dev.vivarium.node.driver.guest;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The few event loop threads that serve all connections to a driver's guests. */
public final class ConnectionLoops implements AutoCloseable {
    /** Each frame takes microseconds; a second thread keeps a flood from delaying the other connections. */
    private static final int THREADS = 2;

    private static final int READ_BYTES_MAX = 16 * 1024;
    private static final long CLOSE_SECONDS_MAX = 2;
    private static final int WAITING_CONNECTIONS_MAX = 1024;

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(
            THREADS, new DefaultThreadFactory("vivarium-channels", true), NioIoHandler.newFactory());

    /**
     * Starts connecting. On failure the handlers see the channel become inactive, or the returned channel's close
     * future completes.
     *
     * @param address a Unix domain socket or an internet address
     * @param timeout how long connecting may take
     * @param handlers the connection's handlers, in order
     */
    public Channel connect(SocketAddress address, Duration timeout, List<ChannelHandler> handlers) {
        boolean local = address instanceof UnixDomainSocketAddress;
        Bootstrap bootstrap = new Bootstrap()
                .group(loops)
                .channel(local ? NioDomainSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()))
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(READ_BYTES_MAX))
                // Reads what a guest sent before its end, even after it stopped reading.
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

    /**
     * Listens for connections at a path of this machine.
     *
     * @param handler creates the first handler of each connection
     * @throws IOException when it cannot listen
     */
    public void listen(Path path, Supplier<? extends ChannelHandler> handler) throws IOException {
        ChannelFuture bound = new ServerBootstrap()
                .group(loops)
                .channel(NioServerDomainSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, WAITING_CONNECTIONS_MAX)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(READ_BYTES_MAX))
                .childOption(ChannelOption.AUTO_CLOSE, false)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(handler.get());
                    }
                })
                .bind(UnixDomainSocketAddress.of(path))
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("The node cannot listen at " + path + ".", bound.cause());
        }
    }

    /** Closes all connections, and waits for their receivers to finish. */
    @Override
    public void close() {
        loops.shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
