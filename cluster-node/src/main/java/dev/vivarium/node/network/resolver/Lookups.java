package dev.vivarium.node.network.resolver;

import dev.vivarium.protocol.egress.HostName;
import io.netty.channel.AddressedEnvelope;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import io.netty.resolver.HostsFileEntriesResolver;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverChannelStrategy;
import io.netty.resolver.dns.NoopAuthoritativeDnsServerCache;
import io.netty.resolver.dns.NoopDnsCache;
import io.netty.resolver.dns.NoopDnsCnameCache;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Asks the node's own resolvers for hosts' addresses. Each question has its own source port and a random transaction
 * id; only an answer from the asked server with that id and question counts. Servers are asked one after the other; a
 * single one is asked twice.
 *
 * <p>It asks a server, reads the answer, and follows nothing: neither referrals, with which an answer could make the
 * node send packets to an internal address, nor aliases that the answer does not resolve. It caches nothing across
 * sandboxes: one sandbox could otherwise learn from response times what another one asks. Never blocks; stages complete
 * on the resolver's own thread.
 */
final class Lookups {
    /** The number of addresses taken from one answer. */
    static final int ADDRESSES_MAX = 12;

    private static final int ALIASES_MAX = 8;
    private static final int IPV4_BYTES = 4;
    /** Passes through every network unfragmented, according to DNS flag day 2020. */
    private static final int PAYLOAD_BYTES_MAX = 1232;

    private final DnsNameResolver resolver;
    private final List<InetSocketAddress> servers;

    Lookups(EventLoop eventLoop, ResolverSettings settings) {
        this.servers = settings.upstream();
        this.resolver = new DnsNameResolverBuilder(eventLoop)
                .datagramChannelType(NioDatagramChannel.class)
                .socketChannelType(NioSocketChannel.class)
                .datagramChannelStrategy(DnsNameResolverChannelStrategy.ChannelPerResolution)
                .queryTimeoutMillis(settings.upstreamTimeout().toMillis())
                .maxPayloadSize(PAYLOAD_BYTES_MAX)
                .resolvedAddressTypes(ResolvedAddressTypes.IPV4_ONLY)
                .recursionDesired(true)
                .decodeIdn(false)
                .searchDomains(List.of())
                .hostsFileEntriesResolver(NoHostsFile.INSTANCE)
                .resolveCache(NoopDnsCache.INSTANCE)
                .cnameCache(NoopDnsCnameCache.INSTANCE)
                .authoritativeDnsServerCache(NoopAuthoritativeDnsServerCache.INSTANCE)
                .build();
    }

    /**
     * The addresses of a host. The stage never fails: errors are a {@link Lookup.Failed}. Names outside the public
     * internet do not exist here and are not asked for.
     */
    CompletionStage<Lookup> addressesOf(HostName name) {
        if (SpecialNames.contains(name)) {
            return CompletableFuture.completedFuture(new Lookup.NoSuchHost());
        }
        CompletableFuture<Lookup> answer = new CompletableFuture<>();
        ask(new DefaultDnsQuestion(name.value() + ".", DnsRecordType.A), 0, answer);
        return answer;
    }

    void close() {
        resolver.close();
    }

    private void ask(DnsQuestion question, int attempt, CompletableFuture<Lookup> answer) {
        if (attempt >= Math.max(2, servers.size())) {
            answer.complete(new Lookup.Failed());
            return;
        }
        Future<?> asking;
        try {
            asking = resolver.query(servers.get(attempt % servers.size()), question);
        } catch (RuntimeException cannotBeAsked) {
            answer.complete(new Lookup.Failed());
            return;
        }
        asking.addListener(asked -> {
            Optional<Lookup> lookup = asked.isSuccess() ? readAndRelease(question, asked.getNow()) : Optional.empty();
            lookup.ifPresentOrElse(answer::complete, () -> ask(question, attempt + 1, answer));
        });
    }

    private static Optional<Lookup> readAndRelease(DnsQuestion question, Object received) {
        try {
            return received instanceof AddressedEnvelope<?, ?> envelope
                            && envelope.content() instanceof DnsResponse response
                    ? read(question, response)
                    : Optional.empty();
        } catch (RuntimeException unreadable) {
            // Netty's exception for an invalid name inside a record.
            return Optional.empty();
        } finally {
            ReferenceCountUtil.release(received);
        }
    }

    /** The answer's meaning; empty when it has none and another server may know more. */
    static Optional<Lookup> read(DnsQuestion question, DnsResponse response) {
        if (response.code().equals(DnsResponseCode.NXDOMAIN)) {
            return Optional.of(new Lookup.NoSuchHost());
        }
        if (!response.code().equals(DnsResponseCode.NOERROR)) {
            return Optional.empty();
        }
        Set<String> names = namesOf(question, response);
        List<Inet4Address> addresses = new ArrayList<>();
        int ttlSeconds = Integer.MAX_VALUE;
        for (int i = 0; i < response.count(DnsSection.ANSWER) && addresses.size() < ADDRESSES_MAX; i++) {
            DnsRecord answer = response.recordAt(DnsSection.ANSWER, i);
            if (answer.type().equals(DnsRecordType.A) && names.contains(folded(answer.name()))) {
                Optional<Inet4Address> address = address(answer);
                if (address.isPresent() && !addresses.contains(address.get())) {
                    addresses.add(address.get());
                    ttlSeconds = (int) Math.min(ttlSeconds, Math.max(0, answer.timeToLive()));
                }
            }
        }
        return Optional.of(addresses.isEmpty() ? new Lookup.NoAddress() : new Lookup.Found(addresses, ttlSeconds));
    }

    /** The requested name, and the aliases that the answer gives for it. */
    private static Set<String> namesOf(DnsQuestion question, DnsResponse response) {
        Map<String, String> aliases = new HashMap<>();
        for (int i = 0; i < response.count(DnsSection.ANSWER); i++) {
            DnsRecord answer = response.recordAt(DnsSection.ANSWER, i);
            if (answer.type().equals(DnsRecordType.CNAME) && answer instanceof DnsRawRecord alias) {
                String target =
                        DefaultDnsRecordDecoder.decodeName(alias.content().duplicate());
                aliases.putIfAbsent(folded(answer.name()), folded(target));
            }
        }
        Set<String> names = new HashSet<>();
        Optional<String> next = Optional.of(folded(question.name()));
        while (next.isPresent() && names.size() <= ALIASES_MAX && names.add(next.get())) {
            next = Optional.ofNullable(aliases.get(next.get()));
        }
        return names;
    }

    private static Optional<Inet4Address> address(DnsRecord answer) {
        if (answer instanceof DnsRawRecord raw
                && raw.dnsClass() == DnsRecord.CLASS_IN
                && raw.content().readableBytes() == IPV4_BYTES) {
            byte[] bytes = new byte[IPV4_BYTES];
            raw.content().getBytes(raw.content().readerIndex(), bytes);
            try {
                return Optional.of((Inet4Address) InetAddress.getByAddress(bytes));
            } catch (UnknownHostException impossible) {
                throw new IllegalStateException("Four bytes are an IPv4 address.", impossible);
            }
        }
        return Optional.empty();
    }

    private static String folded(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    /** The node's hosts file is not used: it has internal addresses. */
    private enum NoHostsFile implements HostsFileEntriesResolver {
        INSTANCE;

        @Override
        public @Nullable InetAddress address(String inetHost, ResolvedAddressTypes resolvedAddressTypes) {
            return null;
        }
    }
}
