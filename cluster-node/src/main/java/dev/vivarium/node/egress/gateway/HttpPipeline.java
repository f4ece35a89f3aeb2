package dev.vivarium.node.egress.gateway;

import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.flow.FlowControlHandler;

/** What reads requests and writes responses on a client's connection. */
final class HttpPipeline {
    private HttpPipeline() {}

    static void build(ChannelPipeline pipeline, GatewaySettings settings) {
        pipeline.addLast(new OneLength(new HttpDecoderConfig()
                        .setMaxInitialLineLength(settings.headBytesMax())
                        .setMaxHeaderSize(settings.headBytesMax())
                        .setAllowDuplicateContentLengths(false)
                        .setStrictLineParsing(true)))
                .addLast(new HttpResponseEncoder())
                .addLast(new FlowControlHandler());
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
