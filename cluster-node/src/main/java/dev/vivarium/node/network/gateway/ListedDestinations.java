package dev.vivarium.node.network.gateway;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.EgressSettings;
import dev.vivarium.node.network.resolver.SpecialNames;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.util.List;
import java.util.Optional;

/**
 * Says at submission which destinations of an allowlist no sandbox of this node can reach, by the values that its filter,
 * resolver and gateway have. The node's own addresses are not among them: they change, and are asked for with each connection.
 */
public final class ListedDestinations {
    private final BlockedRanges blocked;
    private final List<Ipv4Block> internalDestinations;

    ListedDestinations(BlockedRanges blocked, List<Ipv4Block> internalDestinations) {
        this.blocked = blocked;
        this.internalDestinations = List.copyOf(internalDestinations);
    }

    /**
     * Those of a node.
     *
     * @param egress the block {@code vivarium.egress}
     * @throws ConfigException when a key is missing or invalid, naming it
     */
    public static ListedDestinations of(Config egress) {
        return new ListedDestinations(EgressSettings.from(egress).blocked(), EgressPoint.internalDestinations(egress));
    }

    /** Why the destination, or a part of it, is out of reach, as a predicate to follow "has an entry that". */
    public Optional<String> refusal(EgressDestination destination) {
        if (destination instanceof EgressDestination.Addresses addresses) {
            return blocked.firstIn(addresses.block(), internalDestinations)
                    .map(range -> within(addresses.block(), range));
        }
        HostName name = destination instanceof EgressDestination.Host host
                ? host.name()
                : ((EgressDestination.Subdomains) destination).domain();
        return SpecialNames.contains(name)
                ? Optional.of("is not on the internet, since names that end like " + name
                        + " are for private use: list a public host, or an internal one by its address, if this node's"
                        + " operator allows it (vivarium.egress.internal-destinations)")
                : Optional.empty();
    }

    private static String within(Ipv4Block listed, Ipv4Block range) {
        return range.contains(listed)
                ? "no sandbox reaches, since " + listed + " is inside: ask the node's operator to add it to"
                        + " vivarium.egress.internal-destinations, or name a public host"
                : "has addresses in it that no sandbox reaches: " + listed + " holds " + range
                        + ", which is inside. List the public addresses that are meant, or use mode public for all of them";
    }
}
