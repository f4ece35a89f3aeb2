package dev.vivarium.node.network;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The block {@code vivarium.egress} of the configuration; see egress.conf.
 *
 * @param pool the addresses that nodes may give to sandboxes
 * @param blocked addresses that no sandbox reaches: those blocked everywhere, and the operator's
 * @param connectionsMax concurrent connections of one sandbox
 * @param gatewayPorts the gateway's ports on the node's address towards its sandboxes; the proxy's is the last
 * @param rates what one sandbox may send and receive
 * @param programs the folder of the node's programs for links; it belongs to root alone
 * @param checkInterval between checks of the packet filter
 * @param countInterval between readings of the kernel's counters
 */
public record EgressSettings(
        Ipv4Block pool,
        BlockedRanges blocked,
        int connectionsMax,
        List<Integer> gatewayPorts,
        LinkRates rates,
        Path programs,
        Duration checkInterval,
        Duration countInterval) {

    /** Below this, a burst would last most of a second. */
    private static final long BYTES_PER_SECOND_MIN = 64 * 1024;

    public EgressSettings {
        gatewayPorts = List.copyOf(gatewayPorts);
    }

    /** The port of the proxy, for tools that have a proxy setting. */
    int proxyPort() {
        return gatewayPorts.get(gatewayPorts.size() - 1);
    }

    /**
     * Reads the settings.
     *
     * @param egress the block {@code vivarium.egress}
     * @throws ConfigException when a key is missing or invalid
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
                rates(egress),
                Path.of(egress.getString("programs")),
                egress.getDuration("check-interval"),
                egress.getDuration("count-interval"));
    }

    private static LinkRates rates(Config egress) {
        long bytes = egress.getBytes("bytes-per-second-max");
        long packets = egress.getLong("packets-per-second-max");
        if (bytes < BYTES_PER_SECOND_MIN) {
            throw new ConfigException.BadValue("vivarium.egress.bytes-per-second-max", "must be at least 64KiB");
        }
        if (packets < 1) {
            throw new ConfigException.BadValue("vivarium.egress.packets-per-second-max", "must be at least 1");
        }
        return new LinkRates(bytes, packets);
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

    /** The ranges blocked everywhere, and the operator's. */
    private static BlockedRanges blockedRanges(Config egress) {
        BlockedRanges ranges = BlockedRanges.standard();
        for (String key : List.of("internal-ranges", "external-addresses")) {
            try {
                ranges = ranges.withMore(egress.getStringList(key));
            } catch (IllegalArgumentException noBlock) {
                throw new ConfigException.BadValue(
                        "vivarium.egress." + key, String.valueOf(noBlock.getMessage()), noBlock);
            }
        }
        return ranges;
    }
}
