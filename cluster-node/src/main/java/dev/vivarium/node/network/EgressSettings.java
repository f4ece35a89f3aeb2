package dev.vivarium.node.network;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.time.Duration;
import java.util.List;

/**
 * The block {@code vivarium.egress} of the configuration; egress.conf says what each key means.
 *
 * @param pool the addresses that nodes may give to sandboxes
 * @param blocked what no sandbox reaches: what is internal everywhere, and the operator's own
 * @param connectionsMax connections that one sandbox may have open at once
 * @param gatewayPorts where the gateway listens, on the node's address towards its sandboxes; that of the proxy last
 * @param checkInterval between two looks whether the packet filter stands
 * @param countInterval between two looks at what was counted
 */
public record EgressSettings(
        Ipv4Block pool,
        BlockedRanges blocked,
        int connectionsMax,
        List<Integer> gatewayPorts,
        Duration checkInterval,
        Duration countInterval) {

    public EgressSettings {
        gatewayPorts = List.copyOf(gatewayPorts);
    }

    /** Where tools find the proxy that honour a setting for one. */
    int proxyPort() {
        return gatewayPorts.get(gatewayPorts.size() - 1);
    }

    /**
     * Reads the settings.
     *
     * @param egress the block {@code vivarium.egress}
     * @throws ConfigException when a key is missing or wrong
     */
    public static EgressSettings from(Config egress) {
        int connections = egress.getInt("connections-max");
        if (connections < 1) {
            throw new ConfigException.BadValue("vivarium.egress.connections-max", "must be at least 1");
        }
        return new EgressSettings(
                pool(egress.getString("addresses")),
                blockedRanges(egress),
                connections,
                List.of(
                        egress.getInt("gateway.http-port"),
                        egress.getInt("gateway.tls-port"),
                        egress.getInt("gateway.proxy-port")),
                egress.getDuration("check-interval"),
                egress.getDuration("count-interval"));
    }

    private static Ipv4Block pool(String addresses) {
        try {
            Ipv4Block pool = Ipv4Block.parse(addresses);
            if (pool.prefixLength() <= AddressBlock.PREFIX_LENGTH) {
                return pool;
            }
        } catch (IllegalArgumentException noBlock) {
            throw new ConfigException.BadValue(
                    "vivarium.egress.addresses", String.valueOf(noBlock.getMessage()), noBlock);
        }
        throw new ConfigException.BadValue(
                "vivarium.egress.addresses", "must hold a block of 1024 addresses at least, as a /22 does");
    }

    /**
     * What is internal everywhere, and what the operator adds.
     *
     * @param egress the block {@code vivarium.egress}
     * @throws ConfigException when what is added is no range
     */
    public static BlockedRanges blockedRanges(Config egress) {
        try {
            return BlockedRanges.standard().withMore(egress.getStringList("internal-ranges"));
        } catch (IllegalArgumentException noBlock) {
            throw new ConfigException.BadValue(
                    "vivarium.egress.internal-ranges", String.valueOf(noBlock.getMessage()), noBlock);
        }
    }
}
