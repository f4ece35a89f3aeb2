package dev.vivarium.node.network.gateway;

import com.google.common.net.InetAddresses;
import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.resolver.Lookup;
import dev.vivarium.node.network.resolver.Lookups;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import dev.vivarium.protocol.egress.Ipv4Block;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Finds the way to a destination: is it listed, where does its name lead, may one go there, does it answer. The address
 * that was judged is the one that is connected to; a name is looked up once for each connection and never again.
 */
final class UpstreamConnector {
    /** Of a host with many addresses, as many are tried. */
    private static final int ADDRESSES_TRIED_MAX = 3;

    private final GatewaySettings settings;
    private final BlockedRanges blocked;
    private final List<Ipv4Block> internalDestinations;
    private final Lookups lookups;
    private final EgressLedger ledger;
    private final UnaryOperator<InetSocketAddress> route;

    /**
     * The ways.
     *
     * @param route where an address that was judged is connected to: there, but for tests that have no internet
     */
    UpstreamConnector(
            GatewaySettings settings,
            BlockedRanges blocked,
            List<Ipv4Block> internalDestinations,
            Lookups lookups,
            EgressLedger ledger,
            UnaryOperator<InetSocketAddress> route) {
        this.settings = settings;
        this.blocked = blocked;
        this.internalDestinations = List.copyOf(internalDestinations);
        this.lookups = lookups;
        this.ledger = ledger;
        this.route = route;
    }

    /** Who waits for a way; called on the event loop of the client that it is for. */
    interface Waiting {
        /** There is a connection, which nothing reads from yet. */
        void connected(Channel outside);

        /** There is none. */
        void denied(Denial denial);
    }

    /** Opens a connection for a client, on the client's event loop, and tells the ledger either way. */
    void open(EgressSubject subject, Target target, Channel client, Waiting waiting) {
        open(subject, target, client, waiting, notListed(subject, target).or(() -> withoutHeaders(subject, target)));
    }

    /** The same for a connection that the gateway itself speaks on, with headers of its own. */
    void openForHeaders(EgressSubject subject, Target.Named target, Channel client, Waiting waiting) {
        open(subject, target, client, waiting, notListed(subject, target));
    }

    private void open(EgressSubject subject, Target target, Channel client, Waiting waiting, Optional<Denial> refusal) {
        Consumer<Denial> deny = denial -> {
            tell(subject, denial);
            waiting.denied(denial);
        };
        if (refusal.isPresent()) {
            deny.accept(refusal.get());
        } else if (!ledger.opens(subject)) {
            deny.accept(Denial.of(
                    target,
                    DenialReason.TOO_MANY,
                    "This run has opened " + subject.connectionsMax()
                            + " connections, all that it may: raise limits.egressRequests where it is submitted."));
        } else if (target instanceof Target.Named named) {
            lookups.addressesOf(named.name()).thenAccept(lookup -> client.eventLoop()
                    .execute(() -> toHost(named, lookup, new Attempt(subject, target, client, waiting, deny))));
        } else if (target instanceof Target.Literal literal) {
            InetAddress address = InetAddresses.fromInteger(literal.address().network());
            if (blocked.contains(address)
                    && internalDestinations.stream().noneMatch(block -> block.contains(literal.address()))) {
                deny.accept(Denial.of(
                        target,
                        DenialReason.INTERNAL_ADDRESS,
                        target.host() + " is an address inside: ask the node's operator to add it to"
                                + " vivarium.egress.internal-destinations."));
            } else {
                connect(List.of(address), new Attempt(subject, target, client, waiting, deny));
            }
        }
    }

    void tell(EgressSubject subject, Denial denial) {
        ledger.denied(subject, denial.what(), denial.port(), denial.reason());
    }

    private static Optional<Denial> notListed(EgressSubject subject, Target target) {
        EgressPolicy policy = subject.policy();
        boolean listed = target instanceof Target.Named named
                ? policy.lists(named.name(), named.port())
                : target instanceof Target.Literal literal && policy.lists(literal.address(), literal.port());
        return listed
                ? Optional.empty()
                : Optional.of(Denial.of(
                        target,
                        DenialReason.NOT_LISTED,
                        "This run may not reach " + target.host() + ":" + target.port() + ": add \"" + target.host()
                                + ":" + target.port() + "\" to egress.allow where it is submitted."));
    }

    /**
     * Where the gateway adds a secret, an agent has no way of its own: it could go there in somebody else's name, and
     * carry away in it what it has read.
     */
    private static Optional<Denial> withoutHeaders(EgressSubject subject, Target target) {
        return target instanceof Target.Named named
                        && named.port() == InjectedHeader.PORT
                        && !subject.policy().injectedFor(named.name()).isEmpty()
                ? Optional.of(Denial.of(
                        target,
                        DenialReason.NOT_LISTED,
                        "This run reaches " + target.host() + " by plain requests only, to http://" + target.host()
                                + "/: the gateway adds a secret header to them and goes on by TLS itself."))
                : Optional.empty();
    }

    private void toHost(Target.Named target, Lookup lookup, Attempt attempt) {
        HostName name = target.name();
        if (lookup instanceof Lookup.Found found) {
            List<Inet4Address> outside = found.addresses().stream()
                    .filter(address -> !blocked.contains(address))
                    .limit(ADDRESSES_TRIED_MAX)
                    .toList();
            if (outside.isEmpty()) {
                attempt.deny.accept(Denial.of(
                        target,
                        DenialReason.INTERNAL_ADDRESS,
                        name + " leads to an address inside, where no name may lead: list the address itself, if the"
                                + " node's operator allows it."));
            } else {
                connect(outside, attempt);
            }
        } else {
            attempt.deny.accept(Denial.of(
                    target,
                    DenialReason.UNREACHABLE,
                    name + " has no IPv4 address now: check the name, and try again later."));
        }
    }

    /** What is under way for a client. */
    private record Attempt(
            EgressSubject subject, Target target, Channel client, Waiting waiting, Consumer<Denial> deny) {}

    private void connect(List<? extends InetAddress> addresses, Attempt attempt) {
        if (!attempt.client.isActive()) {
            return;
        }
        if (addresses.isEmpty()) {
            attempt.deny.accept(Denial.of(
                    attempt.target,
                    DenialReason.UNREACHABLE,
                    attempt.target.host() + " does not answer on port " + attempt.target.port()
                            + ": check the port, and try again later."));
            return;
        }
        InetSocketAddress judged = new InetSocketAddress(addresses.get(0), attempt.target.port());
        new Bootstrap()
                .group(attempt.client.eventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        settings.connectTimeout().toMillis())
                .option(ChannelOption.AUTO_READ, false)
                .handler(new ChannelInitializer<NioSocketChannel>() {
                    @Override
                    protected void initChannel(NioSocketChannel channel) {
                        channel.pipeline().addLast(new Traffic(attempt.subject, attempt.target, ledger));
                    }
                })
                .connect(route.apply(judged))
                .addListener((ChannelFutureListener) connecting -> {
                    if (!connecting.isSuccess()) {
                        connect(addresses.subList(1, addresses.size()), attempt);
                    } else if (!attempt.client.isActive()) {
                        Closing.of(connecting.channel());
                    } else {
                        ledger.allowed(attempt.subject, attempt.target.host(), attempt.target.port());
                        attempt.waiting.connected(connecting.channel());
                    }
                });
    }
}
