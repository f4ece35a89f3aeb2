package dev.vivarium.node.network.resolver;

import java.net.Inet4Address;
import java.util.List;

/** What the node's own resolvers said about a host. */
public sealed interface Lookup {
    /**
     * It has addresses; nobody has judged yet where they lead.
     *
     * @param addresses at least one, at most {@link Lookups#ADDRESSES_MAX}
     * @param ttlSeconds how long they may be kept, zero or more
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

    /** None of the node's resolvers answered in time, or too much is being asked already. */
    record Failed() implements Lookup {}
}
