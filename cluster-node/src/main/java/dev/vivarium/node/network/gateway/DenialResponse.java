package dev.vivarium.node.network.gateway;

import dev.vivarium.node.json.PlainJson;
import dev.vivarium.node.network.Closing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** The last response on a denied client's connection: problem details with the reason. */
final class DenialResponse {
    private static final long LINGER_MILLIS = 1000;

    private DenialResponse() {}

    /** Sends the response and closes the connection. */
    static void send(Channel client, Denial denial) {
        ByteBuf body = Unpooled.copiedBuffer(problem(denial), StandardCharsets.UTF_8);
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, denial.status(), body);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "application/problem+json")
                .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes())
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        client.writeAndFlush(response).addListener(written -> end(client));
    }

    /** Closing a socket with unread input would make the kernel discard the response before the client has read it. */
    private static void end(Channel client) {
        if (client instanceof SocketChannel socket) {
            socket.shutdownOutput().addListener(shut -> socket.config().setAutoRead(true));
        }
        client.eventLoop()
                .schedule(() -> Closing.of(client), LINGER_MILLIS, TimeUnit.MILLISECONDS)
                .addListener(closing -> {});
    }

    /** RFC 9457. A tree, since agents are told less than the API's callers. */
    private static String problem(Denial denial) {
        return PlainJson.MAPPER
                .createObjectNode()
                .put("type", "https://vivarium.dev/problems/egress-denied")
                .put("title", "Egress denied")
                .put("status", denial.status().code())
                .put("detail", denial.detail())
                .toString();
    }
}
