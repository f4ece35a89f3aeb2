package dev.vivarium.node.network.gateway;

import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.flow.FlowControlHandler;

/** What reads and writes HTTP, on both sides. */
final class HttpPipeline {
    private HttpPipeline() {}

    /** What reads requests and writes responses on a client's connection. */
    static void build(ChannelPipeline pipeline, GatewaySettings settings) {
        pipeline.addLast(new OneLength(new HttpDecoderConfig()
                        .setMaxInitialLineLength(settings.headBytesMax())
                        .setMaxHeaderSize(settings.headBytesMax())
                        .setAllowDuplicateContentLengths(false)
                        .setStrictLineParsing(true)))
                .addLast(new HttpResponseEncoder())
                .addLast(new FlowControlHandler());
    }

    /** What writes a request and reads its response on a connection to the outside. */
    static HttpClientCodec towardsOutside(GatewaySettings settings) {
        HttpDecoderConfig config = new HttpDecoderConfig()
                .setMaxInitialLineLength(settings.headBytesMax())
                .setMaxHeaderSize(settings.headBytesMax())
                .setAllowDuplicateContentLengths(false);
        return new HttpClientCodec(config, false, false);
    }

    /** Takes them away, for a tunnel. */
    static void remove(ChannelPipeline pipeline) {
        pipeline.remove(FlowControlHandler.class);
        pipeline.remove(HttpResponseEncoder.class);
        pipeline.remove(OneLength.class);
    }

    /** Netty would drop the length of a chunked request, as it may; but whoever sends both is smuggling. */
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
