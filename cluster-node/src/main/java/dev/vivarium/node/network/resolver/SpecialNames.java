package dev.vivarium.node.network.resolver;

import dev.vivarium.protocol.egress.HostName;
import java.util.Set;

/**
 * Names that do not belong to the public internet, so that asking for them could only tell something about the network
 * that the node is in: the special-use domain names of IANA (RFC 6761 and its updates), and those that networks use for
 * themselves.
 */
final class SpecialNames {
    private static final Set<String> TOP_LEVELS = Set.of(
            "alt", // RFC 9476
            "arpa", // addresses to names, which would be a map of the network, and locally served zones
            "corp", // name collisions, never delegated (ICANN 2018)
            "example", // RFC 6761
            "home", // as corp
            "internal", // private use (ICANN 2024), and the metadata service of Google's cloud
            "intranet",
            "invalid", // RFC 6761
            "lan",
            "local", // multicast DNS, RFC 6762
            "localdomain",
            "localhost", // RFC 6761
            "mail", // as corp
            "onion", // RFC 7686
            "private",
            "test"); // RFC 6761

    private SpecialNames() {}

    /** Tells whether a name is never asked for upstream. Names of one label are: they are meant for search lists. */
    static boolean contains(HostName name) {
        int lastDot = name.value().lastIndexOf('.');
        return lastDot < 0 || TOP_LEVELS.contains(name.value().substring(lastDot + 1));
    }
}
