package dev.vivarium.node.egress;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The block {@code vivarium.egress} of the configuration; egress.conf says what each key means.
 *
 * @param pool the first address that nodes may give to sandboxes, as bits
 * @param blocks how many blocks of addresses there are from there on
 * @param blocked what no sandbox reaches: what is internal everywhere, and the operator's own
 * @param connectionsMax connections that one sandbox may have open at once
 * @param gatewayPorts where the gateway listens, on the node's address towards its sandboxes; that of the proxy last
 * @param checkInterval between two looks whether the packet filter stands
 * @param countInterval between two looks at what was counted
 */
public record EgressSettings(
        int pool,
        int blocks,
        BlockedRanges blocked,
        int connectionsMax,
        List<Integer> gatewayPorts,
        Duration checkInterval,
        Duration countInterval) {
    private static final Pattern CIDR = Pattern.compile("(\\d{1,3}(?:\\.\\d{1,3}){3})/(\\d{1,2})");
    private static final int BYTE_MAX = 255;
    private static final int ADDRESS_BITS = 32;

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
        String addresses = egress.getString("addresses");
        requireCidr("addresses", addresses);
        int bits = Integer.parseInt(addresses.substring(addresses.indexOf('/') + 1));
        if (bits > AddressBlock.PREFIX_BITS) {
            throw new ConfigException.BadValue(
                    "vivarium.egress.addresses", "must hold a block of 1024 addresses at least, as a /22 does");
        }
        int connections = egress.getInt("connections-max");
        if (connections < 1) {
            throw new ConfigException.BadValue("vivarium.egress.connections-max", "must be at least 1");
        }
        return new EgressSettings(
                AddressBlock.bits(addresses.substring(0, addresses.indexOf('/'))),
                1 << (AddressBlock.PREFIX_BITS - bits),
                blocked(egress),
                connections,
                List.of(
                        egress.getInt("gateway.http-port"),
                        egress.getInt("gateway.tls-port"),
                        egress.getInt("gateway.proxy-port")),
                egress.getDuration("check-interval"),
                egress.getDuration("count-interval"));
    }

    private static BlockedRanges blocked(Config egress) {
        try {
            return BlockedRanges.standard().withMore(egress.getStringList("internal-ranges"));
        } catch (IllegalArgumentException noBlock) {
            throw new ConfigException.BadValue(
                    "vivarium.egress.internal-ranges", String.valueOf(noBlock.getMessage()), noBlock);
        }
    }

    private static void requireCidr(String key, String text) {
        var parts = CIDR.matcher(text);
        boolean valid = parts.matches() && Integer.parseInt(parts.group(2)) <= ADDRESS_BITS;
        if (valid) {
            for (String part : parts.group(1).split("\\.", -1)) {
                valid &= Integer.parseInt(part) <= BYTE_MAX;
            }
        }
        if (!valid) {
            throw new ConfigException.BadValue(
                    "vivarium.egress." + key, "'" + text + "' is no range of addresses such as 10.0.0.0/8");
        }
    }
}
