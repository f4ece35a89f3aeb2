package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;

/** Passes a connection's single response on to the client, framed for the client's protocol version. */
final class ResponseRelay extends SimpleChannelInboundHandler<HttpObject> {
    private final Channel client;
    private final HttpProxyHandler door;
    private final Target target;
    private final boolean toHead;
    private final boolean clientChunks;
    private boolean keepsAlive;
    private boolean interim;
    private boolean begun;
    private boolean complete;

    /**
     * The response to a request.
     *
     * @param request as the client sent it
     */
    ResponseRelay(Channel client, HttpProxyHandler door, Target target, HttpRequest request) {
        super(false);
        this.client = client;
        this.door = door;
        this.target = target;
        this.toHead = request.method().equals(HttpMethod.HEAD);
        this.clientChunks = request.protocolVersion().equals(HttpVersion.HTTP_1_1);
        this.keepsAlive = clientChunks && HttpUtil.isKeepAlive(request);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (complete || message.decoderResult().isFailure()) {
            ReferenceCountUtil.release(message);
            Closing.of(context.channel());
            return;
        }
        if (message instanceof HttpResponse response) {
            interim = response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
            if (!interim) {
                begun = true;
                frame(response);
            }
        }
        if (interim) {
            // The gateway has sent its own 100 to the client.
            ReferenceCountUtil.release(message);
            return;
        }
        client.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        if (message instanceof HttpContent && !client.isWritable()) {
            context.channel().config().setAutoRead(false);
        }
        if (message instanceof LastHttpContent) {
            complete = true;
            door.answered(client, keepsAlive);
        }
    }

    /** Frames the response so that the client can find its end; otherwise its end is that of the connection. */
    private void frame(HttpResponse response) {
        HttpHeaders headers = response.headers();
        RequestHead.withoutHopByHop(headers);
        response.setProtocolVersion(HttpVersion.HTTP_1_1);
        boolean bodiless = toHead
                || response.status().equals(HttpResponseStatus.NO_CONTENT)
                || response.status().equals(HttpResponseStatus.NOT_MODIFIED);
        boolean sized = headers.contains(HttpHeaderNames.CONTENT_LENGTH)
                && !headers.contains(HttpHeaderNames.TRANSFER_ENCODING);
        headers.remove(HttpHeaderNames.TRANSFER_ENCODING);
        if (!bodiless && !sized) {
            headers.remove(HttpHeaderNames.CONTENT_LENGTH);
            if (clientChunks) {
                headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
            } else {
                keepsAlive = false;
            }
        }
        if (!keepsAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (context.channel().isWritable()) {
            door.outsideIsWritable(client);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (complete) {
            return;
        }
        if (begun) {
            // Truncated, and the client must be able to notice.
            Closing.of(client);
        } else {
            door.unanswered(client, target);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Closing.of(context.channel());
    }
}
