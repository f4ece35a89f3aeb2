package dev.vivarium.node.network;

import java.net.InetAddress;
import java.util.function.Predicate;

/**
 * Addresses that the resolver does not return and the gateway does not connect to: the packet filter's ranges, and the
 * machine's own addresses at the time of the call. Thread-safe; does not block.
 */
public final class BlockedAddresses {
    private final BlockedRanges ranges;
    private final Predicate<InetAddress> own;

    BlockedAddresses(BlockedRanges ranges, Predicate<InetAddress> own) {
        this.ranges = ranges;
        this.own = own;
    }

    /** The ranges, plus this machine's own addresses. */
    public static BlockedAddresses of(BlockedRanges ranges) {
        return new BlockedAddresses(ranges, OwnAddresses::contains);
    }

    /** Whether the address is currently blocked for all sandboxes. */
    public boolean contains(InetAddress address) {
        return ranges.contains(address) || own.test(address);
    }
}
