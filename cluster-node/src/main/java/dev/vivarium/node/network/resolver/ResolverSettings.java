package dev.vivarium.node.network.resolver;

import com.google.common.net.HostAndPort;
import com.google.common.net.InetAddresses;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The block {@code vivarium.egress.names} of the configuration; see egress.conf.
 *
 * @param port the port to listen on, UDP and TCP; 0 for any free ones
 * @param upstream the resolvers to ask, in order
 * @param upstreamTimeout how long one of them may take
 * @param lookupsMax concurrent questions to them
 * @param questionsMax questions of one sandbox that wait for an answer
 * @param questionsPerMinuteMax questions of one sandbox in a minute
 * @param nameLengthMax the longest name to ask upstream for, in characters
 * @param labelLengthMax its longest label, in characters
 * @param namesWindow the time in which different names are counted
 * @param namesMax different names of one sandbox in that time
 * @param namesPerDomainMax the same below one registered domain
 * @param lettersMax characters that questions of one sandbox may convey in that time
 * @param lettersPerDomainMax the same below one registered domain
 * @param keptMin how long an answer is cached at least for the sandbox that asked
 * @param ttlMax how long a sandbox may cache an address of the internet at most
 * @param listedTtl how long it may cache the gateway's address for a listed name
 * @param connectionsMax TCP connections of one sandbox
 * @param connectionIdle how long one may be idle
 */
public record ResolverSettings(
        int port,
        List<InetSocketAddress> upstream,
        Duration upstreamTimeout,
        int lookupsMax,
        int questionsMax,
        int questionsPerMinuteMax,
        int nameLengthMax,
        int labelLengthMax,
        Duration namesWindow,
        int namesMax,
        int namesPerDomainMax,
        int lettersMax,
        int lettersPerDomainMax,
        Duration keptMin,
        Duration ttlMax,
        Duration listedTtl,
        int connectionsMax,
        Duration connectionIdle) {
    private static final String PATH = "vivarium.egress.names.";
    private static final int DNS_PORT = 53;
    private static final int UPSTREAM_MAX = 8;
    private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
    private static final Pattern NAMESERVER = Pattern.compile("\\s*nameserver\\s+([0-9A-Fa-f:.]+)\\s*(?:[#;].*)?");

    public ResolverSettings {
        upstream = List.copyOf(upstream);
        if (upstream.isEmpty() || upstream.size() > UPSTREAM_MAX) {
            throw new ConfigException.BadValue(
                    PATH + "upstream",
                    "must name 1 to " + UPSTREAM_MAX + " resolvers such as 192.0.2.53, and " + RESOLV_CONF
                            + " names none");
        }
        requirePort(port);
        requirePositive("upstream-timeout", upstreamTimeout.toMillis());
        requirePositive("lookups-max", lookupsMax);
        requirePositive("questions-max", questionsMax);
        requirePositive("questions-per-minute-max", questionsPerMinuteMax);
        requirePositive("name-length-max", nameLengthMax);
        requirePositive("label-length-max", labelLengthMax);
        requirePositive("names-window", namesWindow.toMillis());
        requirePositive("names-max", namesMax);
        requirePositive("names-per-domain-max", namesPerDomainMax);
        requirePositive("letters-max", lettersMax);
        requirePositive("letters-per-domain-max", lettersPerDomainMax);
        if (keptMin.isNegative() || keptMin.compareTo(ttlMax) > 0) {
            throw new ConfigException.BadValue(PATH + "kept-min", "must be from 0 to ttl-max");
        }
        requirePositive("connections-max", connectionsMax);
        requirePositive("connection-idle", connectionIdle.toMillis());
        if (ttlMax.isNegative() || listedTtl.isNegative()) {
            throw new ConfigException.BadValue(PATH + "ttl-max", "and listed-ttl must not be negative");
        }
    }

    /**
     * Reads the settings, and the resolvers of {@code /etc/resolv.conf} if none are configured.
     *
     * @param names the block {@code vivarium.egress.names}
     * @throws ConfigException when a key is missing or invalid, naming it
     */
    public static ResolverSettings from(Config names) {
        List<String> named = names.getStringList("upstream");
        return new ResolverSettings(
                names.getInt("port"),
                named.isEmpty()
                        ? ofResolvConf(RESOLV_CONF)
                        : named.stream().map(ResolverSettings::server).toList(),
                names.getDuration("upstream-timeout"),
                names.getInt("lookups-max"),
                names.getInt("questions-max"),
                names.getInt("questions-per-minute-max"),
                names.getInt("name-length-max"),
                names.getInt("label-length-max"),
                names.getDuration("names-window"),
                names.getInt("names-max"),
                names.getInt("names-per-domain-max"),
                names.getInt("letters-max"),
                names.getInt("letters-per-domain-max"),
                names.getDuration("kept-min"),
                names.getDuration("ttl-max"),
                names.getDuration("listed-ttl"),
                names.getInt("connections-max"),
                names.getDuration("connection-idle"));
    }

    static List<InetSocketAddress> ofResolvConf(Path file) {
        try {
            return Files.readAllLines(file).stream()
                    .map(NAMESERVER::matcher)
                    .filter(Matcher::matches)
                    .map(line -> line.group(1))
                    .filter(InetAddresses::isInetAddress)
                    .map(address -> new InetSocketAddress(InetAddresses.forString(address), DNS_PORT))
                    .limit(UPSTREAM_MAX)
                    .toList();
        } catch (IOException unreadable) {
            return List.of();
        }
    }

    private static InetSocketAddress server(String text) {
        try {
            HostAndPort server = HostAndPort.fromString(text).withDefaultPort(DNS_PORT);
            return new InetSocketAddress(InetAddresses.forString(server.getHost()), server.getPort());
        } catch (IllegalArgumentException notAnAddress) {
            throw new ConfigException.BadValue(
                    PATH + "upstream",
                    "'" + text
                            + "' must be an address, with a port or without: 192.0.2.53, 192.0.2.53:5353 or"
                            + " [2001:db8::53]:53",
                    notAnAddress);
        }
    }

    private static void requirePort(int port) {
        if (port < 0 || port > 0xffff) {
            throw new ConfigException.BadValue(PATH + "port", "must be from 0 to 65535");
        }
    }

    private static void requirePositive(String key, long number) {
        if (number <= 0) {
            throw new ConfigException.BadValue(PATH + key, "must be above zero");
        }
    }
}
