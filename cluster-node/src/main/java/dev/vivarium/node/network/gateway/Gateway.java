package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.EgressSubjects;
import dev.vivarium.node.network.Quota;
import dev.vivarium.node.network.resolver.Lookups;
import dev.vivarium.protocol.egress.Ipv4Block;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * The gateway of this node's sandboxes with an allowlist, on threads of its own. It takes connections of sandboxes only.
 * Closing it ends all that go through it.
 */
public final class Gateway implements AutoCloseable {
    private static final int CLOSE_SECONDS_MAX = 5;

    private final EventLoopGroup loops;
    private final Channel tls;
    private final Channel http;
    private final Channel proxy;

    private Gateway(EventLoopGroup loops, Channel tls, Channel http, Channel proxy) {
        this.loops = loops;
        this.tls = tls;
        this.http = http;
        this.proxy = proxy;
    }

    /**
     * Starts to take connections.
     *
     * @param settings limits and ports
     * @param egressAddress where it listens
     * @param blocked where no connection goes, whatever is listed
     * @param internalDestinations what of that may be reached all the same, by an address that is listed
     * @param lookups looks names up; to be closed after the gateway
     * @param subjects who connects
     * @param ledger is told of all of it
     * @throws IOException when a port cannot be had, naming it
     */
    public static Gateway start(
            GatewaySettings settings,
            Inet4Address egressAddress,
            BlockedRanges blocked,
            List<Ipv4Block> internalDestinations,
            Lookups lookups,
            EgressSubjects subjects,
            EgressLedger ledger)
            throws IOException {
        UpstreamConnector ways = new UpstreamConnector(
                settings, blocked, internalDestinations, lookups, ledger, UnaryOperator.identity());
        return start(settings, egressAddress, ways, subjects, ledger);
    }

    static Gateway start(
            GatewaySettings settings,
            Inet4Address egressAddress,
            UpstreamConnector ways,
            EgressSubjects subjects,
            EgressLedger ledger)
            throws IOException {
        TlsInternet secured = TlsInternet.of(settings);
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(
                settings.ioThreads(), new DefaultThreadFactory("vivarium-gateway", true), NioIoHandler.newFactory());
        Quota connections = new Quota(settings.connectionsMax());
        Listener listener = new Listener(loops, egressAddress, settings, connections, subjects, ledger);
        try {
            Channel tls =
                    listener.listen(settings.tlsPort(), TlsByName.TLS_PORT, (channel, subject) -> channel.pipeline()
                            .addLast(new TlsByName(subject, ways, settings)));
            Channel http = listener.listen(settings.httpPort(), RequestHead.HTTP_PORT, (channel, subject) -> {
                HttpPipeline.build(channel.pipeline(), settings);
                channel.pipeline()
                        .addLast(new HttpProxyHandler(RequestHead.Door.TRANSPARENT, subject, ways, secured, settings));
            });
            Channel proxy = listener.listen(settings.proxyPort(), RequestHead.PROXY_PORT, (channel, subject) -> {
                HttpPipeline.build(channel.pipeline(), settings);
                channel.pipeline()
                        .addLast(new HttpProxyHandler(RequestHead.Door.PROXY, subject, ways, secured, settings));
            });
            return new Gateway(loops, tls, http, proxy);
        } catch (IOException taken) {
            end(loops);
            throw taken;
        }
    }

    /** Where it takes TLS. */
    public InetSocketAddress tlsAddress() {
        return (InetSocketAddress) tls.localAddress();
    }

    /** Where it takes plain HTTP. */
    public InetSocketAddress httpAddress() {
        return (InetSocketAddress) http.localAddress();
    }

    /** Where it is a proxy. */
    public InetSocketAddress proxyAddress() {
        return (InetSocketAddress) proxy.localAddress();
    }

    /** First the doors, so that nobody comes in while what is inside is ended. */
    @Override
    public void close() {
        List.of(tls, http, proxy).forEach(door -> door.close().awaitUninterruptibly());
        end(loops);
    }

    private static void end(EventLoopGroup loops) {
        loops.shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    /** What is done with a connection of a sandbox. */
    private interface Acceptor {
        void accept(Channel channel, EgressSubject subject);
    }

    /** Takes connections of sandboxes, as many as one may have, and closes those of others at once. */
    private record Listener(
            EventLoopGroup loops,
            Inet4Address address,
            GatewaySettings settings,
            Quota connections,
            EgressSubjects subjects,
            EgressLedger ledger) {
        Channel listen(int port, int told, Acceptor acceptor) throws IOException {
            ChannelFuture binding = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<NioSocketChannel>() {
                        @Override
                        protected void initChannel(NioSocketChannel channel) {
                            accept(channel, told, acceptor);
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

        private void accept(NioSocketChannel channel, int told, Acceptor acceptor) {
            Optional<EgressSubject> known =
                    Optional.ofNullable(channel.remoteAddress()).flatMap(remote -> subjects.at(remote.getAddress()));
            if (known.isEmpty()) {
                Closing.of(channel);
                return;
            }
            EgressSubject subject = known.get();
            if (!connections.take(subject.sandbox())) {
                ledger.denied(subject, "connections to the gateway", told, DenialReason.TOO_MANY);
                Closing.of(channel);
                return;
            }
            channel.closeFuture().addListener(closed -> connections.giveBack(subject.sandbox()));
            channel.pipeline().addLast(new Silence(settings.idleTimeout().toMillis()));
            acceptor.accept(channel, subject);
        }
    }

    /** Ends a connection on which nothing has moved for too long, in either direction. */
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
