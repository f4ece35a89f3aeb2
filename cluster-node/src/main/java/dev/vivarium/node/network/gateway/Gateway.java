package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.EgressSubjects;
import dev.vivarium.node.network.IoThreads;
import dev.vivarium.node.network.Quota;
import dev.vivarium.node.network.resolver.SandboxLookups;
import dev.vivarium.protocol.egress.Ipv4Block;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * The gateway for this node's sandboxes with an allowlist, on threads of its own. It accepts connections from sandboxes
 * only. Closing it ends all connections through it.
 */
public final class Gateway implements AutoCloseable {
    private final IoThreads threads;
    private final Channel tls;
    private final Channel http;
    private final Channel proxy;

    private Gateway(IoThreads threads, Channel tls, Channel http, Channel proxy) {
        this.threads = threads;
        this.tls = tls;
        this.http = http;
        this.proxy = proxy;
    }

    /**
     * Starts accepting connections.
     *
     * @param settings limits and ports
     * @param egressAddress where it listens
     * @param blocked addresses to which it never connects, even if listed
     * @param internalDestinations exceptions from that, for addresses that are listed literally
     * @param lookups resolves names; close it after the gateway
     * @param subjects maps addresses to sandboxes
     * @param ledger records requests
     * @throws IOException when a port is not available, naming it
     */
    public static Gateway start(
            GatewaySettings settings,
            Inet4Address egressAddress,
            BlockedAddresses blocked,
            List<Ipv4Block> internalDestinations,
            SandboxLookups lookups,
            EgressSubjects subjects,
            EgressLedger ledger)
            throws IOException {
        UpstreamConnector connector = new UpstreamConnector(
                settings, blocked, internalDestinations, lookups, ledger, UnaryOperator.identity());
        return start(settings, egressAddress, connector, subjects, ledger);
    }

    static Gateway start(
            GatewaySettings settings,
            Inet4Address egressAddress,
            UpstreamConnector connector,
            EgressSubjects subjects,
            EgressLedger ledger)
            throws IOException {
        TlsInternet secured = TlsInternet.of(settings);
        IoThreads threads = IoThreads.start(settings.ioThreads(), "vivarium-gateway");
        Quota connections = new Quota(settings.connectionsMax());
        Listener listener = new Listener(threads.loops(), egressAddress, settings, connections, subjects, ledger);
        try {
            Channel tls =
                    listener.listen(settings.tlsPort(), TlsByName.TLS_PORT, (channel, subject) -> channel.pipeline()
                            .addLast(new TlsByName(subject, connector, settings)));
            Channel http = listener.listen(settings.httpPort(), RequestHead.HTTP_PORT, (channel, subject) -> {
                HttpPipeline.build(channel.pipeline(), settings);
                channel.pipeline()
                        .addLast(new HttpProxyHandler(
                                RequestHead.ProxyMode.TRANSPARENT, subject, connector, secured, settings));
            });
            Channel proxy = listener.listen(settings.proxyPort(), RequestHead.PROXY_PORT, (channel, subject) -> {
                HttpPipeline.build(channel.pipeline(), settings);
                channel.pipeline()
                        .addLast(new HttpProxyHandler(
                                RequestHead.ProxyMode.PROXY, subject, connector, secured, settings));
            });
            return new Gateway(threads, tls, http, proxy);
        } catch (IOException taken) {
            threads.close();
            throw taken;
        }
    }

    /** The address for TLS. */
    public InetSocketAddress tlsAddress() {
        return (InetSocketAddress) tls.localAddress();
    }

    /** The address for plain HTTP. */
    public InetSocketAddress httpAddress() {
        return (InetSocketAddress) http.localAddress();
    }

    /** The address of the proxy. */
    public InetSocketAddress proxyAddress() {
        return (InetSocketAddress) proxy.localAddress();
    }

    /** Closes the listening sockets first, so that no connection arrives while the existing ones are closed. */
    @Override
    public void close() {
        List.of(tls, http, proxy).forEach(listener -> listener.close().awaitUninterruptibly());
        threads.close();
    }

    /** Handles a sandbox's connection. */
    private interface Acceptor {
        void accept(Channel channel, EgressSubject subject);
    }

    /** Accepts connections of sandboxes up to their limit, and closes all others immediately. */
    private record Listener(
            EventLoopGroup loops,
            Inet4Address address,
            GatewaySettings settings,
            Quota connections,
            EgressSubjects subjects,
            EgressLedger ledger) {
        Channel listen(int port, int reportedPort, Acceptor acceptor) throws IOException {
            ChannelFuture binding = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<NioSocketChannel>() {
                        @Override
                        protected void initChannel(NioSocketChannel channel) {
                            accept(channel, reportedPort, acceptor);
                        }
                    })
                    .bind(address, port)
                    .awaitUninterruptibly();
            if (!binding.isSuccess()) {
                throw new IOException(
                        "The egress gateway cannot listen on " + address.getHostAddress() + " port " + port
                                + ": end what listens there, or give the node another egress address.",
                        binding.cause());
            }
            return binding.channel();
        }

        private void accept(NioSocketChannel channel, int reportedPort, Acceptor acceptor) {
            Optional<EgressSubject> known =
                    Optional.ofNullable(channel.remoteAddress()).flatMap(remote -> subjects.at(remote.getAddress()));
            if (known.isEmpty()) {
                Closing.of(channel);
                return;
            }
            EgressSubject subject = known.get();
            if (!connections.take(subject.sandbox())) {
                ledger.denied(subject, "connections to the gateway", reportedPort, DenialReason.TOO_MANY);
                Closing.of(channel);
                return;
            }
            channel.closeFuture().addListener(closed -> connections.giveBack(subject.sandbox()));
            channel.pipeline().addLast(new Silence(settings.idleTimeout().toMillis()));
            acceptor.accept(channel, subject);
        }
    }

    /** Closes a connection that has been idle in both directions for too long. */
    private static final class Silence extends IdleStateHandler {
        Silence(long millis) {
            super(0, 0, millis, TimeUnit.MILLISECONDS);
        }

        @Override
        protected void channelIdle(ChannelHandlerContext context, IdleStateEvent event) {
            Closing.of(context.channel());
        }
    }
}
