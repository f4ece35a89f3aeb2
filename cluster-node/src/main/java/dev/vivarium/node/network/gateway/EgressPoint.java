package dev.vivarium.node.network.gateway;

import com.google.common.net.InetAddresses;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSettings;
import dev.vivarium.node.network.EgressSubjects;
import dev.vivarium.node.network.resolver.Resolver;
import dev.vivarium.node.network.resolver.ResolverSettings;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;

/**
 * All that listens on a node's egress address: the names of sandboxes and their gateway. Both start or neither does.
 */
public final class EgressPoint implements AutoCloseable {
    private final BlockedRanges blocked;
    private final Resolver names;
    private final Gateway gateway;

    private EgressPoint(BlockedRanges blocked, Resolver names, Gateway gateway) {
        this.blocked = blocked;
        this.names = names;
        this.gateway = gateway;
    }

    /**
     * Starts both.
     *
     * @param egress the block {@code vivarium.egress}
     * @param egressAddress where they listen: an address of the node that sandboxes reach, and nobody else
     * @param subjects who asks
     * @param ledger is told of all of it
     * @throws ConfigException when a key is missing or wrong, naming it
     * @throws IOException when a port cannot be had, naming it
     */
    public static EgressPoint start(
            Config egress, Inet4Address egressAddress, EgressSubjects subjects, EgressLedger ledger)
            throws IOException {
        BlockedRanges blocked = blockedRanges(egress);
        List<Ipv4Block> internalDestinations = internalDestinations(egress);
        ResolverSettings namesSettings = ResolverSettings.from(egress.getConfig("names"));
        GatewaySettings gatewaySettings = GatewaySettings.from(egress.getConfig("gateway"));
        Resolver names = Resolver.start(namesSettings, egressAddress, blocked, subjects, ledger);
        try {
            return new EgressPoint(
                    blocked,
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

    /**
     * What no sandbox reaches: the standard ranges, those of the configuration, and the addresses that the node has itself
     * at this moment, since what listens on a public one need not be meant for everybody.
     */
    public static BlockedRanges blockedRanges(Config egress) {
        return EgressSettings.blockedRanges(egress).withMore(ownAddresses());
    }

    /** What listens for names, and where. */
    public Resolver names() {
        return names;
    }

    /** What listens for connections, and where. */
    public Gateway gateway() {
        return gateway;
    }

    /** The ranges that both keep to, for the packet filter. */
    public BlockedRanges blocked() {
        return blocked;
    }

    @Override
    public void close() {
        gateway.close();
        names.close();
    }

    private static List<String> ownAddresses() {
        try {
            return NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> !BlockedRanges.standard().contains(address))
                    .map(InetAddresses::toAddrString)
                    .toList();
        } catch (SocketException unknown) {
            throw new UncheckedIOException("The node's own addresses cannot be read.", unknown);
        }
    }

    private static List<Ipv4Block> internalDestinations(Config egress) {
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
