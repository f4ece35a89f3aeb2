package dev.vivarium.node.network.resolver;

import dev.vivarium.protocol.egress.HostName;
import java.util.Set;

/**
 * Names outside the public internet, so that asking for them could only reveal something about the node's own network:
 * IANA's special-use domain names (RFC 6761 and its updates), and common private ones.
 */
public final class SpecialNames {
    private static final Set<String> TOP_LEVELS = Set.of(
            "alt", // RFC 9476
            "arpa", // reverse look-ups, which would map the network, and locally served zones
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

    /** Whether a name is never asked for upstream. Includes single-label names, which are meant for search lists. */
    public static boolean contains(HostName name) {
        int lastDot = name.value().lastIndexOf('.');
        return lastDot < 0 || TOP_LEVELS.contains(name.value().substring(lastDot + 1));
    }
}
