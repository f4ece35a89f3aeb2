package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.protocol.egress.HostName;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.util.concurrent.Future;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Holds the name in TLS against the name that the tunnel was asked for, before the first byte goes out. What is not TLS,
 * or names nobody, names nobody else either and goes where the tunnel leads.
 */
final class TunnelledTls extends AbstractSniHandler<Boolean> {
    private static final byte UNRECOGNIZED_NAME = 112;

    private final EgressSubject subject;
    private final Target.Named target;
    private final Channel outside;
    private final UpstreamConnector ways;

    TunnelledTls(
            EgressSubject subject,
            Target.Named target,
            Channel outside,
            UpstreamConnector ways,
            GatewaySettings settings) {
        super(settings.headBytesMax(), settings.headTimeout().toMillis());
        this.subject = subject;
        this.target = target;
        this.outside = outside;
        this.ways = ways;
    }

    @Override
    protected Future<Boolean> lookup(ChannelHandlerContext context, @Nullable String name) {
        boolean agrees = name == null || HostName.received(name).equals(Optional.of(target.name()));
        return context.executor().newSucceededFuture(agrees);
    }

    @Override
    protected void onLookupComplete(ChannelHandlerContext context, @Nullable String name, Future<Boolean> agrees) {
        if (Boolean.TRUE.equals(agrees.getNow())) {
            Relay.join(context.channel(), outside);
            context.pipeline().remove(this);
            return;
        }
        String other = Optional.ofNullable(name)
                .flatMap(HostName::received)
                .map(HostName::value)
                .orElse("TLS for another host");
        ways.tell(subject, new Denial(other, target.port(), DenialReason.NAME_MISMATCH, ""));
        Closing.of(outside);
        TlsByName.alert(context.channel(), UNRECOGNIZED_NAME);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        Closing.of(outside);
        super.channelInactive(context);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        ways.tell(subject, new Denial("what is not TLS, or too slow", target.port(), DenialReason.MALFORMED, ""));
        Closing.of(outside);
        Closing.of(context.channel());
    }
}
