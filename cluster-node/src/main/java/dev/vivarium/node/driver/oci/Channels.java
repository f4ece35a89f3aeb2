package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.guest.ConnectionLoops;
import dev.vivarium.node.driver.guest.GuestConnection;
import dev.vivarium.node.driver.guest.NettyConnection;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket that the launcher connects each sandbox's channel to, in a folder that only root may enter. The first line of a
 * connection identifies the sandbox; the launcher writes it before any program of the sandbox runs.
 */
final class Channels implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Channels.class);
    private static final int LINE_BYTES_MAX = 27;

    private final Map<String, CompletableFuture<GuestConnection>> expected = new ConcurrentHashMap<>();
    private final ConnectionLoops loops = new ConnectionLoops();

    /** Listens at the path; replaces a leftover socket of the node's earlier incarnation. */
    static Channels open(Path socket) throws IOException {
        Files.deleteIfExists(socket);
        Channels channels = new Channels();
        try {
            channels.loops.listen(socket, channels::handler);
            return channels;
        } catch (IOException refused) {
            channels.close();
            throw refused;
        }
    }

    /** The future connection of a sandbox; until {@link #forget}. */
    CompletableFuture<GuestConnection> expect(SandboxId id) {
        return expected.computeIfAbsent(id.value(), any -> new CompletableFuture<>());
    }

    /** Stops expecting its connection; a later one is closed. */
    void forget(SandboxId id) {
        expected.remove(id.value());
    }

    private ChannelInboundHandlerAdapter handler() {
        return new FirstLine();
    }

    @Override
    public void close() {
        loops.close();
    }

    /** Reads only the first line, since the rest belongs to the guest. */
    private final class FirstLine extends ChannelInboundHandlerAdapter {
        private final StringBuilder line = new StringBuilder(LINE_BYTES_MAX);

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            try {
                while (bytes.isReadable() && line.length() < LINE_BYTES_MAX) {
                    char next = (char) bytes.readUnsignedByte();
                    if (next == '\n') {
                        handOver(context, bytes);
                        return;
                    }
                    line.append(next);
                }
                if (line.length() == LINE_BYTES_MAX) {
                    ChannelFuture unused = context.close();
                }
            } finally {
                bytes.release();
            }
        }

        private void handOver(ChannelHandlerContext context, ByteBuf rest) {
            Optional<CompletableFuture<GuestConnection>> waiting =
                    Optional.ofNullable(expected.remove(line.toString()));
            if (waiting.isEmpty()) {
                LOG.debug("A channel of sandbox {} is not expected any more", line);
                ChannelFuture unused = context.close();
                return;
            }
            Channel channel = context.channel();
            channel.config().setAutoRead(false);
            context.pipeline().remove(this);
            waiting.get().complete(new NettyConnection(channel, rest.readBytes(rest.readableBytes())));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            ChannelFuture unused = context.close();
        }
    }
}
