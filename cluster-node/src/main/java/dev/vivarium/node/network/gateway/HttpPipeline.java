package dev.vivarium.node.network.gateway;

import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.flow.FlowControlHandler;

/** The HTTP codecs for both sides. */
final class HttpPipeline {
    private HttpPipeline() {}

    /** Reads requests from and writes responses to a client. */
    static void build(ChannelPipeline pipeline, GatewaySettings settings) {
        pipeline.addLast(requests(settings)).addLast(new HttpResponseEncoder()).addLast(new FlowControlHandler());
    }

    /** Reads requests in a tunnel; responses are passed on unchanged. */
    static void buildForTunnel(ChannelPipeline pipeline, GatewaySettings settings) {
        pipeline.addLast(requests(settings)).addLast(new FlowControlHandler());
    }

    private static HttpRequestDecoder requests(GatewaySettings settings) {
        return new OneLength(new HttpDecoderConfig()
                .setMaxInitialLineLength(settings.headBytesMax())
                .setMaxHeaderSize(settings.headBytesMax())
                .setAllowDuplicateContentLengths(false)
                .setStrictLineParsing(true));
    }

    /** Writes a request to the outside and reads its response. */
    static HttpClientCodec towardsOutside(GatewaySettings settings) {
        HttpDecoderConfig config = new HttpDecoderConfig()
                .setMaxInitialLineLength(settings.headBytesMax())
                .setMaxHeaderSize(settings.headBytesMax())
                .setAllowDuplicateContentLengths(false);
        return new HttpClientCodec(config, false, false);
    }

    /** Removes the codecs, for a tunnel. */
    static void remove(ChannelPipeline pipeline) {
        pipeline.remove(FlowControlHandler.class);
        pipeline.remove(HttpResponseEncoder.class);
        pipeline.remove(OneLength.class);
    }

    /** Removes the codecs of a tunnel. */
    static void removeFromTunnel(ChannelPipeline pipeline) {
        pipeline.remove(FlowControlHandler.class);
        pipeline.remove(OneLength.class);
    }

    /**
     * Netty would drop the Content-Length of a chunked request, as the RFC allows; but a request with both is an
     * attempt at smuggling.
     */
    private static final class OneLength extends HttpRequestDecoder {
        OneLength(HttpDecoderConfig config) {
            super(config);
        }

        @Override
        protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
            throw new IllegalArgumentException("The request has two lengths.");
        }
    }
}
