package dev.vivarium.node.network;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/** Threads that serve sandboxes' sockets and never block. Close after the sockets. */
public record IoThreads(EventLoopGroup loops) implements AutoCloseable {
    private static final int CLOSE_SECONDS_MAX = 5;

    /**
     * Starts daemon threads.
     *
     * @param name the prefix of their names
     */
    public static IoThreads start(int threads, String name) {
        return new IoThreads(new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory()));
    }

    /** Stops the threads, waiting a few seconds at most. */
    @Override
    public void close() {
        loops.shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
