package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Compares the host of each plain request in a tunnel with the tunnel's destination, and serializes the request again,
 * so that no server can parse a different one than was judged here. Responses are passed on unchanged. One protocol
 * upgrade is allowed, to WebSocket; after the server has accepted it, data is passed on unchecked.
 */
final class TunnelledHttp extends SimpleChannelInboundHandler<HttpObject> {
    private static final ByteBuf REFUSAL = Unpooled.unreleasableBuffer(Unpooled.copiedBuffer(
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", StandardCharsets.US_ASCII));
    private static final String WEB_SOCKET = "websocket";
    private static final List<String> HTTP_2_SETTINGS = List.of("http2-settings");

    private final OpenTunnel tunnel;
    private final Channel client;
    private boolean first = true;
    private boolean asksForChange;
    private boolean over;

    TunnelledHttp(OpenTunnel tunnel, Channel client) {
        super(false);
        this.tunnel = tunnel;
        this.client = client;
        tunnel.hear(client);
        tunnel.outside().pipeline().addFirst(new Agreement()).addLast(new HttpRequestEncoder());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (over || (asksForChange && message instanceof HttpRequest)) {
            // Data after an upgrade request, before its response, could be of either protocol.
            ReferenceCountUtil.release(message);
            end();
            return;
        }
        if (message.decoderResult().isFailure()) {
            refuse(message, Optional.empty());
            return;
        }
        if (message instanceof HttpRequest request) {
            RequestHead head = RequestHead.inTunnel(request, tunnel);
            if (head instanceof RequestHead.Refused) {
                refuse(message, Optional.ofNullable(request.headers().get(HttpHeaderNames.HOST)));
                return;
            }
            asksForChange = keepsWebSocketOnly(request.headers());
            first = false;
        }
        boolean last = message instanceof LastHttpContent;
        tunnel.outside().writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        if ((last && asksForChange)
                || (message instanceof HttpContent && !tunnel.outside().isWritable())) {
            client.config().setAutoRead(false);
        }
    }

    /**
     * Removes other upgrades than to WebSocket: other protocols could name hosts unseen, as HTTP/2 does, and an upgrade
     * is optional. After an earlier request it is removed, too, since that request's response could be taken for the
     * acceptance.
     */
    private boolean keepsWebSocketOnly(HttpHeaders headers) {
        List<String> wanted = headers.getAll(HttpHeaderNames.UPGRADE);
        if (wanted.isEmpty()) {
            return false;
        }
        if (first && wanted.size() == 1 && wanted.get(0).trim().equalsIgnoreCase(WEB_SOCKET)) {
            return true;
        }
        headers.remove(HttpHeaderNames.UPGRADE);
        HTTP_2_SETTINGS.forEach(headers::remove);
        return false;
    }

    private void refuse(HttpObject message, Optional<String> host) {
        over = true;
        ReferenceCountUtil.release(message);
        tunnel.mismatch(
                host.flatMap(text -> Target.parse(text, tunnel.target().port()).map(Target::host)),
                "a plain request for another host");
        client.writeAndFlush(REFUSAL.duplicate()).addListener(ChannelFutureListener.CLOSE);
    }

    private void end() {
        over = true;
        Closing.of(tunnel.outside());
        Closing.of(client);
    }

    /** The server has accepted the upgrade; the client's data is passed on unchecked from here on. */
    private void changed(ChannelHandlerContext outside) {
        outside.pipeline().remove(HttpRequestEncoder.class);
        outside.pipeline().remove(outside.handler());
        Relay.pass(client, outside.channel());
        client.pipeline().remove(this);
        HttpPipeline.removeFromTunnel(client.pipeline());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        tunnel.clientChanged(context.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        Closing.of(tunnel.outside());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        end();
    }

    /** Watches whether the server accepts the upgrade. */
    private final class Agreement extends ChannelInboundHandlerAdapter {
        private static final String AGREED = "HTTP/1.1 101";

        private final StringBuilder begun = new StringBuilder();

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
            boolean agreed = false;
            if (asksForChange && message instanceof ByteBuf bytes) {
                int some = Math.min(AGREED.length() - begun.length(), bytes.readableBytes());
                begun.append(bytes.toString(bytes.readerIndex(), some, StandardCharsets.ISO_8859_1));
                if (begun.length() == AGREED.length()) {
                    agreed = begun.toString().equals(AGREED);
                    over = !agreed;
                }
            }
            super.channelRead(context, message);
            if (agreed) {
                changed(context);
            }
        }
    }
}
