package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubjects;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The resolver of this node's sandboxes, on UDP and TCP, on a thread of its own. It answers nobody who is not a sandbox.
 * Closing it ends its sockets and its thread, and with them {@link #lookups}.
 */
public final class Resolver implements AutoCloseable {
    private static final int CLOSE_SECONDS_MAX = 5;

    private final EventLoopGroup loops;
    private final Lookups lookups;
    private final Channel udp;
    private final Channel tcp;

    private Resolver(EventLoopGroup loops, Lookups lookups, Channel udp, Channel tcp) {
        this.loops = loops;
        this.lookups = lookups;
        this.udp = udp;
        this.tcp = tcp;
    }

    /**
     * Starts to answer.
     *
     * @param settings limits, and who is asked upstream
     * @param egressAddress where it listens, and what listed names are answered with
     * @param blocked where no answer may point to
     * @param subjects who asks
     * @param ledger is told of every question that is not answered
     * @throws IOException when a port cannot be had, naming it
     */
    public static Resolver start(
            ResolverSettings settings,
            Inet4Address egressAddress,
            BlockedRanges blocked,
            EgressSubjects subjects,
            EgressLedger ledger)
            throws IOException {
        return start(settings, egressAddress, blocked, subjects, ledger, InstantSource.system());
    }

    static Resolver start(
            ResolverSettings settings,
            Inet4Address egressAddress,
            BlockedRanges blocked,
            EgressSubjects subjects,
            EgressLedger ledger,
            InstantSource clock)
            throws IOException {
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("vivarium-names", true), NioIoHandler.newFactory());
        Lookups lookups = new Lookups(loops.next(), settings);
        NamePolicy policy = new NamePolicy(settings, new NameBudgets(settings, clock));
        Answers answers = new Answers(settings, egressAddress, blocked, policy, lookups, ledger);
        try {
            Channel udp = bound(
                    new Bootstrap()
                            .group(loops)
                            .channel(NioDatagramChannel.class)
                            .handler(new ChannelInitializer<NioDatagramChannel>() {
                                @Override
                                protected void initChannel(NioDatagramChannel channel) {
                                    channel.pipeline()
                                            .addLast(new KnownDatagrams(subjects, ledger))
                                            .addLast(new DatagramQuestions(subjects, answers, ledger));
                                }
                            })
                            .bind(egressAddress, settings.port()),
                    "UDP",
                    egressAddress,
                    settings.port());
            TcpConnections connections = new TcpConnections(settings, subjects, answers, ledger);
            Channel tcp = bound(
                    new ServerBootstrap()
                            .group(loops)
                            .channel(NioServerSocketChannel.class)
                            .childHandler(new ChannelInitializer<NioSocketChannel>() {
                                @Override
                                protected void initChannel(NioSocketChannel channel) {
                                    connections.accept(channel);
                                }
                            })
                            .bind(egressAddress, settings.port()),
                    "TCP",
                    egressAddress,
                    settings.port());
            return new Resolver(loops, lookups, udp, tcp);
        } catch (IOException taken) {
            end(loops, lookups);
            throw taken;
        }
    }

    /** Where it listens for datagrams. */
    public InetSocketAddress udpAddress() {
        return (InetSocketAddress) udp.localAddress();
    }

    /** Where it listens for connections. */
    public InetSocketAddress tcpAddress() {
        return (InetSocketAddress) tcp.localAddress();
    }

    /** The way to the node's own resolvers, for whoever connects on behalf of a sandbox. */
    public Lookups lookups() {
        return lookups;
    }

    /** First the doors, so that nobody comes in while what is inside is ended. */
    @Override
    public void close() {
        List.of(udp, tcp).forEach(door -> door.close().awaitUninterruptibly());
        end(loops, lookups);
    }

    private static Channel bound(ChannelFuture binding, String protocol, Inet4Address address, int port)
            throws IOException {
        binding.awaitUninterruptibly();
        if (!binding.isSuccess()) {
            throw new IOException(
                    "The resolver of the sandboxes cannot listen on " + address.getHostAddress() + " port " + port
                            + " (" + protocol + "): end what listens there, or give the node another egress address.",
                    binding.cause());
        }
        return binding.channel();
    }

    private static void end(EventLoopGroup loops, Lookups lookups) {
        lookups.close();
        loops.shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
