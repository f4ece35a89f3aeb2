package dev.vivarium.node.network.gateway;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The block {@code vivarium.egress.gateway} of the configuration; see egress.conf.
 *
 * @param tlsPort the port for TLS; 0 for any free one, as for the others
 * @param httpPort the port for plain HTTP
 * @param proxyPort the port of the proxy
 * @param ioThreads threads for network I/O
 * @param connectionsMax connections of one sandbox
 * @param headBytesMax the largest head of a request, and the largest TLS ClientHello
 * @param headTimeout how long either may take to arrive
 * @param connectTimeout how long one address of a destination may take to accept
 * @param idleTimeout how long a connection may be idle
 * @param extraAuthorities a file of certificate authorities to trust in addition to the platform's
 */
public record GatewaySettings(
        int tlsPort,
        int httpPort,
        int proxyPort,
        int ioThreads,
        int connectionsMax,
        int headBytesMax,
        Duration headTimeout,
        Duration connectTimeout,
        Duration idleTimeout,
        Optional<Path> extraAuthorities) {
    static final String PATH = "vivarium.egress.gateway.";
    static final String EXTRA_AUTHORITIES = "extra-authorities";
    /** Netty accepts no larger ClientHello. */
    private static final int HEAD_BYTES_CEILING = 0xffff;

    public GatewaySettings {
        requirePort("tls-port", tlsPort);
        requirePort("http-port", httpPort);
        requirePort("proxy-port", proxyPort);
        requirePositive("io-threads", ioThreads);
        requirePositive("connections-max", connectionsMax);
        requirePositive("head-max", headBytesMax);
        if (headBytesMax > HEAD_BYTES_CEILING) {
            throw new ConfigException.BadValue(PATH + "head-max", "must be less than 64KiB");
        }
        requirePositive("head-timeout", headTimeout.toMillis());
        requirePositive("connect-timeout", connectTimeout.toMillis());
        requirePositive("idle-timeout", idleTimeout.toMillis());
    }

    /**
     * Reads the settings.
     *
     * @param gateway the block {@code vivarium.egress.gateway}
     * @throws ConfigException when a key is missing or invalid, naming it
     */
    public static GatewaySettings from(Config gateway) {
        return new GatewaySettings(
                gateway.getInt("tls-port"),
                gateway.getInt("http-port"),
                gateway.getInt("proxy-port"),
                gateway.getInt("io-threads"),
                gateway.getInt("connections-max"),
                (int) Math.min(gateway.getBytes("head-max"), Integer.MAX_VALUE),
                gateway.getDuration("head-timeout"),
                gateway.getDuration("connect-timeout"),
                gateway.getDuration("idle-timeout"),
                Optional.of(gateway.getString(EXTRA_AUTHORITIES))
                        .filter(path -> !path.isEmpty())
                        .map(Path::of));
    }

    private static void requirePort(String key, int port) {
        if (port < 0 || port > 0xffff) {
            throw new ConfigException.BadValue(PATH + key, "must be from 0 to 65535");
        }
    }

    private static void requirePositive(String key, long number) {
        if (number <= 0) {
            throw new ConfigException.BadValue(PATH + key, "must be above zero");
        }
    }
}
