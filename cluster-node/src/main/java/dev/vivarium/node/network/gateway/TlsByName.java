package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.protocol.egress.HostName;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the name in the TLS ClientHello, connects to that host, and relays everything from the ClientHello on. Without
 * a name the client gets an alert and is closed.
 */
final class TlsByName extends AbstractSniHandler<Channel> {
    static final int TLS_PORT = 443;

    private static final byte UNRECOGNIZED_NAME = 112;
    private static final byte ACCESS_DENIED = 49;

    private final EgressSubject subject;
    private final UpstreamConnector connector;
    private Optional<Promise<Channel>> awaited = Optional.empty();

    TlsByName(EgressSubject subject, UpstreamConnector connector, GatewaySettings settings) {
        super(settings.headBytesMax(), settings.headTimeout().toMillis());
        this.subject = subject;
        this.connector = connector;
    }

    @Override
    protected Future<Channel> lookup(ChannelHandlerContext context, @Nullable String name) {
        if (awaited.isPresent()) {
            // Netty asks again for every further byte, and at the end.
            return awaited.get();
        }
        Promise<Channel> way = context.executor().newPromise();
        awaited = Optional.of(way);
        Optional<HostName> received = Optional.ofNullable(name).flatMap(HostName::received);
        if (received.isEmpty()) {
            connector.recordDenial(subject, new Denial("TLS without a name", TLS_PORT, DenialReason.MALFORMED, ""));
            alert(context.channel(), UNRECOGNIZED_NAME);
            way.cancel(false);
            return way;
        }
        connector.open(
                subject,
                new Target.Named(received.get(), TLS_PORT),
                context.channel(),
                new UpstreamConnector.Waiting() {
                    @Override
                    public void connected(Channel outside) {
                        if (!way.trySuccess(outside)) {
                            Closing.of(outside);
                        }
                    }

                    @Override
                    public void denied(Denial denial) {
                        alert(context.channel(), ACCESS_DENIED);
                        way.cancel(false);
                    }
                });
        return way;
    }

    @Override
    protected void onLookupComplete(ChannelHandlerContext context, @Nullable String name, Future<Channel> way) {
        if (way.isSuccess()) {
            Relay.join(context.channel(), way.getNow());
            // Removing the handler passes on what has been read so far.
            context.pipeline().remove(this);
        }
    }

    /** Netty keeps the ClientHello until this handler is removed. */
    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        awaited.ifPresent(way -> way.cancel(false));
        super.channelInactive(context);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        connector.recordDenial(
                subject, new Denial("what is not TLS, or too slow", TLS_PORT, DenialReason.MALFORMED, ""));
        Closing.of(context.channel());
    }

    /** A fatal alert in a record of its own, valid in TLS 1.0 to 1.3. */
    static void alert(Channel client, byte description) {
        byte[] record = {21, 3, 1, 0, 2, 2, description};
        client.writeAndFlush(Unpooled.wrappedBuffer(record)).addListener(ChannelFutureListener.CLOSE);
    }
}
