package dev.vivarium.node.network;

import com.google.common.net.InetAddresses;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.math.BigInteger;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The addresses that no sandbox reaches in any mode: everything other than the public internet. The kernel drops
 * packets to them, the resolver drops answers with them, and the gateway does not connect to them.
 *
 * <p>Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates), and the RFC on
 * each line. The registries' anycast services that are globally reachable by design are not blocked (AS112, AMT). IPv6
 * forms that carry an IPv4 address are blocked as a whole, whatever that address is, since translators on the path may
 * interpret them freely. Only ISATAP, which can have any prefix, is judged by the embedded address.
 *
 * <p>Also blocked are addresses that look public but are internal: those that large clouds give to their own services
 * in every customer's network. There is no registry of these; each line names its source.
 */
public final class BlockedRanges {
    private static final List<String> IPV4 = List.of(
            "0.0.0.0/8", // this network, RFC 1122: Linux treats it as the local host
            "10.0.0.0/8", // private, RFC 1918
            "100.64.0.0/10", // carrier-grade NAT, RFC 6598
            "127.0.0.0/8", // loopback, RFC 1122
            "169.254.0.0/16", // link-local, RFC 3927: the metadata service of clouds
            "172.16.0.0/12", // private, RFC 1918
            "192.0.0.0/24", // IETF protocol assignments, RFC 6890
            "192.0.2.0/24", // documentation, RFC 5737
            "192.88.99.0/24", // 6to4 relays, deprecated, RFC 7526
            "192.168.0.0/16", // private, RFC 1918
            "198.18.0.0/15", // benchmarks, RFC 2544
            "198.51.100.0/24", // documentation, RFC 5737
            "203.0.113.0/24", // documentation, RFC 5737
            "224.0.0.0/4", // multicast, RFC 5771
            "240.0.0.0/4"); // reserved, RFC 1112, and broadcast, RFC 919

    private static final List<String> OF_CLOUDS = List.of(
            "168.63.129.16/32", // Azure: its VM agent, with certificates ("What is IP address 168.63.129.16?")
            "34.118.224.0/20", // Google Kubernetes Engine: services, by default ("VPC-native clusters")
            "161.26.0.0/16", // IBM Cloud: its internal services ("Service endpoints for VPC")
            "166.8.0.0/14"); // IBM Cloud: private endpoints of services, likewise

    private static final List<String> IPV6 = List.of(
            "::/96", // unspecified, loopback, and IPv4-compatible, RFC 4291
            "::ffff:0:0/96", // IPv4-mapped, RFC 4291
            "::ffff:0:0:0/96", // IPv4-translated, RFC 2765
            "64:ff9b::/96", // NAT64, RFC 6052
            "64:ff9b:1::/48", // NAT64 of local use, RFC 8215
            "100::/64", // discard, RFC 6666
            "100:0:0:1::/64", // dummy, RFC 9780
            "2001::/23", // IETF protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID
            "2001:db8::/32", // documentation, RFC 3849
            "2002::/16", // 6to4, RFC 3056
            "3fff::/20", // documentation, RFC 9637
            "5f00::/16", // segment routing, RFC 9602
            "fc00::/7", // private, RFC 4193
            "fe80::/10", // link-local, RFC 4291
            "fec0::/10", // site-local, deprecated, RFC 3879
            "ff00::/8"); // multicast, RFC 4291

    private static final BlockedRanges STANDARD = new BlockedRanges(Stream.of(IPV4, OF_CLOUDS, IPV6)
            .flatMap(List::stream)
            .map(Range::parse)
            .toList());

    private final List<Range> ranges;

    private BlockedRanges(List<Range> ranges) {
        this.ranges = withoutContained(ranges);
    }

    /** The ranges that are blocked everywhere. */
    public static BlockedRanges standard() {
        return STANDARD;
    }

    /**
     * No other ranges than these.
     *
     * @throws IllegalArgumentException as {@link #withMore}
     */
    public static BlockedRanges only(List<String> cidrs) {
        return new BlockedRanges(cidrs.stream().map(Range::parse).toList());
    }

    /**
     * These ranges and an operator's.
     *
     * @param cidrs blocks or single addresses of either family, such as {@code 198.0.2.0/24} or {@code 2600::1}
     * @throws IllegalArgumentException with a sentence that quotes the invalid text
     */
    public BlockedRanges withMore(List<String> cidrs) {
        return new BlockedRanges(
                Stream.concat(ranges.stream(), cidrs.stream().map(Range::parse)).toList());
    }

    /** Whether the address is in a blocked range, or embeds an IPv4 address that is. */
    public boolean contains(InetAddress address) {
        // IPv4-mapped addresses never appear as IPv6: Java converts them to IPv4.
        return ranges.stream().anyMatch(range -> range.contains(address))
                || (address instanceof Inet6Address v6
                        && InetAddresses.isIsatapAddress(v6)
                        && contains(InetAddresses.getIsatapIPv4Address(v6)));
    }

    /**
     * A range that has addresses in common with the block, the exceptions aside.
     *
     * @param exceptions blocks that may be reached although they are in these ranges
     */
    public Optional<Ipv4Block> firstIn(Ipv4Block block, List<Ipv4Block> exceptions) {
        return ipv4Cidrs().stream()
                .map(Ipv4Block::parse)
                .filter(range -> range.overlaps(block))
                .filter(range -> {
                    Ipv4Block common = range.contains(block) ? block : range;
                    return exceptions.stream().noneMatch(exception -> exception.contains(common));
                })
                .findFirst();
    }

    /** The IPv4 ranges in canonical notation, sorted and without overlaps, as nftables' interval sets require. */
    public List<String> ipv4Cidrs() {
        return ranges.stream()
                .filter(range -> range.bits == Range.IPV4_BITS)
                .map(Range::toString)
                .toList();
    }

    /** Two CIDR blocks are either disjoint or nested, so dropping nested ones leaves no overlap. */
    private static List<Range> withoutContained(List<Range> ranges) {
        List<Range> distinct = ranges.stream().distinct().toList();
        return distinct.stream()
                .filter(range -> distinct.stream().noneMatch(other -> !other.equals(range) && other.contains(range)))
                .sorted(Comparator.comparingInt(Range::bits).thenComparing(Range::network))
                .toList();
    }

    /**
     * A block of addresses.
     *
     * @param network the first address, as a number
     * @param bits the length of addresses: 32 or 128
     * @param prefix the number of leading bits that they share
     */
    private record Range(BigInteger network, int bits, int prefix) {
        private static final int IPV4_BITS = 32;

        static Range parse(String text) {
            int slash = text.indexOf('/');
            String literal = slash < 0 ? text : text.substring(0, slash);
            if (!InetAddresses.isInetAddress(literal) || literal.indexOf('%') >= 0) {
                throw notABlock(text);
            }
            byte[] address = InetAddresses.forString(literal).getAddress();
            int bits = address.length * Byte.SIZE;
            // Guava converts a mapped address to IPv4, which would change the meaning of the prefix.
            if (literal.indexOf(':') >= 0 && bits == IPV4_BITS) {
                byte[] mapped = new byte[16];
                mapped[10] = (byte) 0xff;
                mapped[11] = (byte) 0xff;
                System.arraycopy(address, 0, mapped, 12, address.length);
                address = mapped;
                bits = address.length * Byte.SIZE;
            }
            int prefix = slash < 0 ? bits : prefix(text, text.substring(slash + 1), bits);
            BigInteger number = new BigInteger(1, address);
            if (!number.shiftRight(bits - prefix).shiftLeft(bits - prefix).equals(number)) {
                throw new IllegalArgumentException("'" + text
                        + "' has bits beyond its prefix: write the first address of the block before the '/'.");
            }
            return new Range(number, bits, prefix);
        }

        private static int prefix(String text, String digits, int bits) {
            if (!digits.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(digits) > bits) {
                throw notABlock(text);
            }
            return Integer.parseInt(digits);
        }

        private static IllegalArgumentException notABlock(String text) {
            return new IllegalArgumentException(
                    "'" + text + "' is not a block of addresses: write one such as 198.51.100.0/24 or 2001:db8::/32.");
        }

        boolean contains(InetAddress address) {
            byte[] bytes = address.getAddress();
            return bytes.length * Byte.SIZE == bits && startsWithPrefix(new BigInteger(1, bytes));
        }

        boolean contains(Range other) {
            return other.bits == bits && other.prefix >= prefix && startsWithPrefix(other.network);
        }

        private boolean startsWithPrefix(BigInteger address) {
            return address.shiftRight(bits - prefix).equals(network.shiftRight(bits - prefix));
        }

        @Override
        public String toString() {
            return bits == IPV4_BITS
                    ? InetAddresses.fromInteger(network.intValue()).getHostAddress() + "/" + prefix
                    : network.toString(16) + "/" + prefix;
        }
    }
}
