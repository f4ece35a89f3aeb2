package dev.vivarium.node.network.resolver;

import java.net.Inet4Address;
import java.util.List;

/** The upstream resolvers' answer about a host. */
public sealed interface Lookup {
    /**
     * It has addresses, not yet checked.
     *
     * @param addresses at least one, at most {@value Lookups#ADDRESSES_MAX}
     * @param ttlSeconds how long they may be cached, zero or more
     */
    record Found(List<Inet4Address> addresses, int ttlSeconds) implements Lookup {
        public Found {
            addresses = List.copyOf(addresses);
        }
    }

    /** There is no such host. */
    record NoSuchHost() implements Lookup {}

    /** The host has no IPv4 address. */
    record NoAddress() implements Lookup {}

    /** None of the node's resolvers answered in time. */
    record Failed() implements Lookup {}

    /** Not asked: the sandbox exceeded its budget, or the name could carry too much data. */
    record Refused() implements Lookup {}
}
