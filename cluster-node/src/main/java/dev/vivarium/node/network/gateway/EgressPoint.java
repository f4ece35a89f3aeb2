package dev.vivarium.node.network.gateway;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubjects;
import dev.vivarium.node.network.resolver.Resolver;
import dev.vivarium.node.network.resolver.ResolverSettings;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.io.IOException;
import java.net.Inet4Address;
import java.util.List;

/** The servers on a node's egress address: the sandboxes' resolver and their gateway. Both start or neither does. */
public final class EgressPoint implements AutoCloseable {
    private final Resolver names;
    private final Gateway gateway;

    private EgressPoint(Resolver names, Gateway gateway) {
        this.names = names;
        this.gateway = gateway;
    }

    /**
     * Starts both.
     *
     * @param egress the block {@code vivarium.egress}
     * @param ranges addresses that no sandbox reaches: the packet filter's
     * @param egressAddress where they listen: an address that only sandboxes can reach
     * @param subjects maps addresses to sandboxes
     * @param ledger records requests
     * @throws ConfigException when a key is missing or invalid, naming it
     * @throws IOException when a port is not available, naming it
     */
    public static EgressPoint start(
            Config egress,
            BlockedRanges ranges,
            Inet4Address egressAddress,
            EgressSubjects subjects,
            EgressLedger ledger)
            throws IOException {
        BlockedAddresses blocked = BlockedAddresses.of(ranges);
        List<Ipv4Block> internalDestinations = internalDestinations(egress);
        ResolverSettings namesSettings = ResolverSettings.from(egress.getConfig("names"));
        GatewaySettings gatewaySettings = GatewaySettings.from(egress.getConfig("gateway"));
        Resolver names = Resolver.start(namesSettings, egressAddress, blocked, subjects, ledger);
        try {
            return new EgressPoint(
                    names,
                    Gateway.start(
                            gatewaySettings,
                            egressAddress,
                            blocked,
                            internalDestinations,
                            names.lookups(),
                            subjects,
                            ledger));
        } catch (IOException taken) {
            names.close();
            throw taken;
        }
    }

    /** The resolver. */
    public Resolver names() {
        return names;
    }

    /** The gateway. */
    public Gateway gateway() {
        return gateway;
    }

    @Override
    public void close() {
        gateway.close();
        names.close();
    }

    static List<Ipv4Block> internalDestinations(Config egress) {
        String key = "internal-destinations";
        return egress.getStringList(key).stream()
                .map(text -> {
                    try {
                        return Ipv4Block.parse(text);
                    } catch (IllegalArgumentException notABlock) {
                        throw new ConfigException.BadValue(
                                "vivarium.egress." + key, "'" + text + "' " + notABlock.getMessage(), notABlock);
                    }
                })
                .toList();
    }
}
