package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Detects the protocol of a tunnel, on any port, from its first bytes. TLS and HTTP name a host, which is compared with
 * the tunnel's destination before anything is passed on. Everything else is passed on unchanged.
 */
final class TunnelledBytes extends ByteToMessageDecoder {
    private static final int HANDSHAKE = 22;
    private static final int FIRST_OF_TLS = 20;
    private static final int LAST_OF_TLS = 24;
    private static final int VERSION_OF_TLS = 3;

    /**
     * A method and a path or URL, with no version or another: some servers then take HTTP/0.9 for granted, and read the Host
     * header all the same.
     */
    private static final Pattern WITHOUT_VERSION =
            Pattern.compile("[ \\t]*[!-~]+[ \\t]+(?:/|\\*|[a-z][a-z0-9+.-]*://)", Pattern.CASE_INSENSITIVE);

    private final OpenTunnel tunnel;
    private @Nullable Future<?> deadline;

    TunnelledBytes(OpenTunnel tunnel) {
        this.tunnel = tunnel;
    }

    /** The detected protocol. */
    private enum Kind {
        /** Too few bytes to tell. */
        UNKNOWN,
        TLS,
        HTTP,
        /** A form of TLS or HTTP that a lenient server may accept and the gateway cannot parse. */
        DISGUISED,
        OTHER
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        Kind kind = kindOf(in);
        Channel client = context.channel();
        switch (kind) {
            case UNKNOWN -> {
                if (in.readableBytes() > tunnel.settings().headBytesMax()) {
                    in.skipBytes(in.readableBytes());
                    tunnel.malformed(client, "a first line that is too long");
                } else if (deadline == null) {
                    deadline = client.eventLoop()
                            .schedule(
                                    () -> tunnel.malformed(client, "a first line that is too slow"),
                                    tunnel.settings().headTimeout().toMillis(),
                                    TimeUnit.MILLISECONDS);
                }
            }
            case DISGUISED -> {
                in.skipBytes(in.readableBytes());
                tunnel.malformed(client, "what may be TLS or HTTP for anybody");
            }
            case TLS -> {
                client.pipeline().addLast(new TunnelledTls(tunnel));
                client.pipeline().remove(this);
            }
            case HTTP -> {
                HttpPipeline.buildForTunnel(client.pipeline(), tunnel.settings());
                client.pipeline().addLast(new TunnelledHttp(tunnel, client));
                client.pipeline().remove(this);
            }
            case OTHER -> {
                tunnel.join(client);
                client.pipeline().remove(this);
            }
        }
    }

    private static Kind kindOf(ByteBuf in) {
        int first = in.getUnsignedByte(in.readerIndex());
        if (first >= FIRST_OF_TLS && first <= LAST_OF_TLS) {
            if (in.readableBytes() < 2) {
                return Kind.UNKNOWN;
            }
            if (in.getUnsignedByte(in.readerIndex() + 1) != VERSION_OF_TLS) {
                return Kind.OTHER;
            }
            // Some servers ignore a warning alert before the ClientHello, so it could hide the ClientHello from the
            // gateway.
            return first == HANDSHAKE ? Kind.TLS : Kind.DISGUISED;
        }
        int start = in.readerIndex();
        // Servers ignore empty lines before a request (RFC 9112).
        while (start < in.writerIndex() && isLineEnd(in.getByte(start))) {
            start++;
        }
        for (int at = start; at < in.writerIndex(); at++) {
            byte next = in.getByte(at);
            if (next == '\n') {
                return kindOfLine(
                        in.toString(start, at - start, StandardCharsets.ISO_8859_1), start > in.readerIndex());
            }
            if ((next >= 0 && next < ' ' && next != '\t' && next != '\r') || next == 0x7f) {
                return Kind.OTHER;
            }
        }
        return Kind.UNKNOWN;
    }

    private static Kind kindOfLine(String line, boolean late) {
        if (!line.toLowerCase(Locale.ROOT).contains("http/")) {
            return WITHOUT_VERSION.matcher(line).lookingAt() ? Kind.DISGUISED : Kind.OTHER;
        }
        return late ? Kind.DISGUISED : Kind.HTTP;
    }

    private static boolean isLineEnd(byte value) {
        return value == '\r' || value == '\n';
    }

    @Override
    protected void decodeLast(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        in.skipBytes(in.readableBytes());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        tunnel.clientChanged(context.channel());
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext context) {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        if (deadline != null) {
            deadline.cancel(false);
        }
        Closing.of(tunnel.outside());
        super.channelInactive(context);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Closing.of(tunnel.outside());
        Closing.of(context.channel());
    }
}
