package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.util.concurrent.Future;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Compares the name in TLS with the tunnel's destination before the first byte is passed on. */
final class TunnelledTls extends AbstractSniHandler<Boolean> {
    private static final byte UNRECOGNIZED_NAME = 112;

    private final OpenTunnel tunnel;

    TunnelledTls(OpenTunnel tunnel) {
        super(tunnel.settings().headBytesMax(), tunnel.settings().headTimeout().toMillis());
        this.tunnel = tunnel;
    }

    @Override
    protected Future<Boolean> lookup(ChannelHandlerContext context, @Nullable String name) {
        return context.executor().newSucceededFuture(tunnel.agrees(Optional.ofNullable(name)));
    }

    @Override
    protected void onLookupComplete(ChannelHandlerContext context, @Nullable String name, Future<Boolean> agrees) {
        Channel client = context.channel();
        if (Boolean.TRUE.equals(agrees.getNow())) {
            tunnel.join(client);
            context.pipeline().remove(this);
            return;
        }
        tunnel.mismatch(Optional.ofNullable(name), "TLS for another host");
        TlsByName.alert(client, UNRECOGNIZED_NAME);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        tunnel.clientChanged(context.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        Closing.of(tunnel.outside());
        super.channelInactive(context);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        tunnel.malformed(context.channel(), "what is not TLS, or too slow");
    }
}
