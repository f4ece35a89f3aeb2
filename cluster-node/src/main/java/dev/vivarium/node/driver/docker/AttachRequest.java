package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.exception.DockerException;
import dev.vivarium.node.driver.guest.GuestConnection;
import dev.vivarium.node.driver.guest.NettyConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The HTTP exchange that turns a connection to the engine into a container's byte stream.
 *
 * <p>The client library's own attach is not used for sandboxes: on a socket with a response timeout it breaks an idle
 * channel, it forwards input in pieces of 1 KiB, and it needs two threads and 16 KiB of buffers per channel
 * (docker-java 3.7.1, ApacheDockerHttpClientImpl and HijackingHttpRequestExecutor).
 */
final class AttachRequest extends ChannelInboundHandlerAdapter {
    private static final int HEAD_BYTES_MAX = 16 * 1024;
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final String HEAD_END = "\r\n\r\n";
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] (\\d{3})(?: [^\\r\\n]*)?\\r\\n");

    private final String request;
    private final CompletableFuture<GuestConnection> opened = new CompletableFuture<>();
    private final StringBuilder head = new StringBuilder(256);

    AttachRequest(ApiVersion api, String containerId) {
        this.request = "POST /v" + api + "/containers/" + containerId
                + "/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n"
                + "Host: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
    }

    /** Completes when the engine agrees; otherwise the connection is closed. */
    CompletableFuture<GuestConnection> opened() {
        return opened;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ChannelFuture unused = context.writeAndFlush(Unpooled.copiedBuffer(request, StandardCharsets.US_ASCII));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws IOException {
        ByteBuf bytes = (ByteBuf) message;
        try {
            if (readHead(bytes)) {
                requireSwitched(head.toString());
                context.channel().config().setAutoRead(false);
                context.pipeline().remove(this);
                opened.complete(new NettyConnection(context.channel(), bytes.readBytes(bytes.readableBytes())));
            }
        } finally {
            bytes.release();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        opened.completeExceptionally(new EOFException("the engine closed the connection"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable refused) {
        opened.completeExceptionally(refused);
        ChannelFuture unused = context.close();
    }

    /**
     * Reads up to the empty line and no further, since what follows belongs to the container. Returns whether the line
     * was reached.
     */
    private boolean readHead(ByteBuf bytes) throws IOException {
        while (bytes.isReadable()) {
            head.append((char) bytes.readUnsignedByte());
            int length = head.length();
            if (length >= HEAD_END.length() && HEAD_END.contentEquals(head.subSequence(length - 4, length))) {
                return true;
            }
            if (length == HEAD_BYTES_MAX) {
                throw new IOException("the engine's answer has no end");
            }
        }
        return false;
    }

    private static void requireSwitched(String head) throws IOException {
        Matcher status = STATUS.matcher(head);
        if (!status.lookingAt()) {
            throw new IOException("the engine's answer is not HTTP");
        }
        int code = Integer.parseInt(status.group(1));
        if (code != SWITCHING_PROTOCOLS) {
            throw new DockerException("the channel was not opened (HTTP status " + code + ")", code);
        }
    }
}
