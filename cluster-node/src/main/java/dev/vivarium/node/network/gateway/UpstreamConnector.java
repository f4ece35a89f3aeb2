package dev.vivarium.node.network.gateway;

import com.google.common.net.InetAddresses;
import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.ListedNames;
import dev.vivarium.node.network.resolver.Lookup;
import dev.vivarium.node.network.resolver.SandboxLookups;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Connects to destinations: checks the allowlist, resolves the name, checks the address, and connects. It connects to
 * the very address that was checked; a name is resolved only once per connection.
 */
final class UpstreamConnector {
    /** The number of a host's addresses that are tried. */
    private static final int ADDRESSES_TRIED_MAX = 3;

    private final GatewaySettings settings;
    private final BlockedAddresses blocked;
    private final List<Ipv4Block> internalDestinations;
    private final SandboxLookups lookups;
    private final EgressLedger ledger;
    private final UnaryOperator<InetSocketAddress> route;

    /** @param route the address to connect to for a checked address: the same one, except in tests without internet */
    UpstreamConnector(
            GatewaySettings settings,
            BlockedAddresses blocked,
            List<Ipv4Block> internalDestinations,
            SandboxLookups lookups,
            EgressLedger ledger,
            UnaryOperator<InetSocketAddress> route) {
        this.settings = settings;
        this.blocked = blocked;
        this.internalDestinations = List.copyOf(internalDestinations);
        this.lookups = lookups;
        this.ledger = ledger;
        this.route = route;
    }

    /** Receives the result; called on the client's event loop. */
    interface Waiting {
        /** Connected; nothing reads from the connection yet. */
        void connected(Channel outside);

        /** Not connected. */
        void denied(Denial denial);
    }

    /** Connects on behalf of a client, on the client's event loop, and records the result in the ledger. */
    void open(EgressSubject subject, Target target, Channel client, Waiting waiting) {
        open(subject, target, client, waiting, notListed(subject, target).or(() -> withoutHeaders(subject, target)));
    }

    /** The same, for a connection on which the gateway adds headers. */
    void openForHeaders(EgressSubject subject, Target.Named target, Channel client, Waiting waiting) {
        open(subject, target, client, waiting, notListed(subject, target));
    }

    private void open(EgressSubject subject, Target target, Channel client, Waiting waiting, Optional<Denial> refusal) {
        Consumer<Denial> deny = denial -> {
            recordDenial(subject, denial);
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
            lookups.addressesOf(subject, named.name()).thenAccept(lookup -> client.eventLoop()
                    .execute(() -> toHost(named, lookup, new Attempt(subject, target, client, waiting, deny))));
        } else if (target instanceof Target.Literal literal) {
            toAddress(literal, new Attempt(subject, target, client, waiting, deny));
        }
    }

    private void toAddress(Target.Literal target, Attempt attempt) {
        InetAddress address = InetAddresses.fromInteger(target.address().network());
        if (blocked.contains(address)
                && internalDestinations.stream().noneMatch(block -> block.contains(target.address()))) {
            attempt.deny.accept(Denial.of(
                    target,
                    DenialReason.INTERNAL_ADDRESS,
                    target.host() + " is an address inside: ask the node's operator to add it to"
                            + " vivarium.egress.internal-destinations."));
            return;
        }
        withoutSecret(address, attempt.subject).thenAccept(host -> attempt.client
                .eventLoop()
                .execute(() -> host.ifPresentOrElse(
                        name -> attempt.deny.accept(noWayAround(target, name)),
                        () -> connect(List.of(address), attempt))));
    }

    /** Fails if a host with a secret currently has this address: such hosts cannot be reached by address either. */
    private CompletionStage<Optional<HostName>> withoutSecret(InetAddress address, EgressSubject subject) {
        CompletionStage<Optional<HostName>> none = CompletableFuture.completedFuture(Optional.empty());
        return subject.policy().inject().stream()
                .map(InjectedHeader::host)
                .distinct()
                .map(name -> lookups.addressesOf(subject, name)
                        .thenApply(lookup -> Optional.of(name).filter(host -> isAt(lookup, address))))
                .reduce(none, (one, other) -> one.thenCombine(other, (left, right) -> left.or(() -> right)));
    }

    private static boolean isAt(Lookup lookup, InetAddress address) {
        return lookup instanceof Lookup.Found found && found.addresses().contains(address);
    }

    void recordDenial(EgressSubject subject, Denial denial) {
        ledger.denied(subject, denial.what(), denial.port(), denial.reason());
    }

    private static Optional<Denial> notListed(EgressSubject subject, Target target) {
        EgressPolicy policy = subject.policy();
        boolean listed = target instanceof Target.Named named
                ? ListedNames.contains(policy, named.name(), named.port())
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
     * An agent may not connect directly to a host with a secret header: it could act there under another identity, and
     * exfiltrate what it has read.
     */
    private static Optional<Denial> withoutHeaders(EgressSubject subject, Target target) {
        return target instanceof Target.Named named
                        && !subject.policy().injectedFor(named.name()).isEmpty()
                ? Optional.of(noWayAround(target, named.name()))
                : Optional.empty();
    }

    private static Denial noWayAround(Target target, HostName host) {
        return Denial.of(
                target,
                DenialReason.NOT_LISTED,
                "This run reaches " + host + " by plain requests only, to http://" + host
                        + "/: the gateway adds a secret header to them and goes on by TLS itself.");
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
        } else if (lookup instanceof Lookup.Refused) {
            attempt.deny.accept(Denial.of(
                    target,
                    DenialReason.TOO_MANY,
                    name
                            + " is one name too many, or too long, to be asked for: list a host by its whole name, or"
                            + " wait an hour."));
        } else {
            attempt.deny.accept(Denial.of(
                    target,
                    DenialReason.UNREACHABLE,
                    name + " has no IPv4 address now: check the name, and try again later."));
        }
    }

    /** A connection attempt on behalf of a client. */
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
