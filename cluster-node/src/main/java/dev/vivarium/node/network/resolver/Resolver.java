package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubjects;
import dev.vivarium.node.network.IoThreads;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;

/**
 * The resolver of this node's sandboxes, on UDP and TCP, on a thread of its own. It answers sandboxes only. Closing it
 * closes its sockets and its thread, and with them {@link #lookups}.
 */
public final class Resolver implements AutoCloseable {
    private final IoThreads threads;
    private final Lookups lookups;
    private final SandboxLookups forSandboxes;
    private final Channel udp;
    private final Channel tcp;

    private Resolver(IoThreads threads, Lookups lookups, SandboxLookups forSandboxes, Channel udp, Channel tcp) {
        this.threads = threads;
        this.lookups = lookups;
        this.forSandboxes = forSandboxes;
        this.udp = udp;
        this.tcp = tcp;
    }

    /**
     * Starts answering.
     *
     * @param settings limits and upstream resolvers
     * @param egressAddress where it listens, and the answer for listed names
     * @param blocked addresses that no answer may contain
     * @param subjects maps addresses to sandboxes
     * @param ledger records denied questions
     * @throws IOException when a port is not available, naming it
     */
    public static Resolver start(
            ResolverSettings settings,
            Inet4Address egressAddress,
            BlockedAddresses blocked,
            EgressSubjects subjects,
            EgressLedger ledger)
            throws IOException {
        return start(settings, egressAddress, blocked, subjects, ledger, InstantSource.system());
    }

    static Resolver start(
            ResolverSettings settings,
            Inet4Address egressAddress,
            BlockedAddresses blocked,
            EgressSubjects subjects,
            EgressLedger ledger,
            InstantSource clock)
            throws IOException {
        IoThreads threads = IoThreads.start(1, "vivarium-names");
        Lookups lookups = new Lookups(threads.loops().next(), settings);
        NameBudgets budgets = new NameBudgets(settings, clock);
        SandboxLookups forSandboxes = new SandboxLookups(settings, lookups, budgets);
        Answers answers = new Answers(settings, egressAddress, blocked, new NamePolicy(budgets), forSandboxes, ledger);
        try {
            Channel udp = bound(
                    new Bootstrap()
                            .group(threads.loops())
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
                            .group(threads.loops())
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
            return new Resolver(threads, lookups, forSandboxes, udp, tcp);
        } catch (IOException taken) {
            end(threads, lookups);
            throw taken;
        }
    }

    /** The address for UDP. */
    public InetSocketAddress udpAddress() {
        return (InetSocketAddress) udp.localAddress();
    }

    /** The address for TCP. */
    public InetSocketAddress tcpAddress() {
        return (InetSocketAddress) tcp.localAddress();
    }

    /** Looks names up on behalf of sandboxes, for the gateway. */
    public SandboxLookups lookups() {
        return forSandboxes;
    }

    /** Closes the listening sockets first, so that no question arrives while the rest is closed. */
    @Override
    public void close() {
        List.of(udp, tcp).forEach(door -> door.close().awaitUninterruptibly());
        end(threads, lookups);
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

    private static void end(IoThreads threads, Lookups lookups) {
        lookups.close();
        threads.close();
    }
}
