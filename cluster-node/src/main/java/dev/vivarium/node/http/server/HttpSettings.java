package dev.vivarium.node.http.server;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The block {@code vivarium.http} of the configuration; see reference.conf.
 *
 * @param host the interface to listen on
 * @param port the port; 0 for any free one
 * @param allowedHosts additional names that clients may use for the node, in lower case
 * @param maxBodyBytes the largest body
 * @param maxBodiesBytes all bodies in progress together
 * @param bodyTimeout the time that a body may take to arrive
 * @param requestTimeout the time until a response must have begun
 * @param requestWait the time until the complete head of a connection's next request must have arrived
 * @param idleTimeout the longest silence on a connection
 * @param heartbeat the longest silence of an event stream
 * @param maxConnections concurrent connections
 * @param maxRequestsOfOne requests in progress of one caller
 * @param maxFollowers streams that follow runs at once
 * @param maxFollowersOfOne those of one caller
 * @param readBytes bytes per read of a follower of output
 * @param maxWait the longest wait for a run's end
 * @param maxSubmissions submissions worked on at once
 * @param retryAfter the Retry-After value
 * @param upload settings of blob uploads
 * @param http2 HTTP/2, on listeners with TLS
 * @param paces how fast answers leave that are for many
 */
public record HttpSettings(
        String host,
        int port,
        Set<String> allowedHosts,
        int maxBodyBytes,
        long maxBodiesBytes,
        Duration bodyTimeout,
        Duration requestTimeout,
        Duration requestWait,
        Duration idleTimeout,
        Duration heartbeat,
        int maxConnections,
        int maxRequestsOfOne,
        int maxFollowers,
        int maxFollowersOfOne,
        int readBytes,
        Duration maxWait,
        int maxSubmissions,
        Duration retryAfter,
        Upload upload,
        Http2 http2,
        Paces paces) {
    /**
     * The block {@code vivarium.http.http2}.
     *
     * @param enabled whether it is offered
     * @param maxStreams requests in progress of one connection
     */
    public record Http2(boolean enabled, int maxStreams) {
        private static Http2 from(Config http2) {
            Http2 settings = new Http2(http2.getBoolean("enabled"), http2.getInt("max-streams"));
            if (settings.maxStreams < 1) {
                throw new ConfigException.BadValue("vivarium.http.http2.max-streams", "must be at least 1");
            }
            return settings;
        }
    }

    /**
     * The block {@code vivarium.http.pace}: answers a second.
     *
     * @param refusalsOfOne refusals of one caller for asking too much
     * @param strangers refusals of those that are not known, all together
     * @param documents each document that everyone may read
     * @param health health
     * @param waitMax the longest wait of an answer
     */
    public record Paces(int refusalsOfOne, int strangers, int documents, int health, Duration waitMax) {
        private static Paces from(Config pace, Duration waitMax) {
            return new Paces(
                    pace.getInt("refusals-of-one"),
                    pace.getInt("strangers"),
                    pace.getInt("documents"),
                    pace.getInt("health"),
                    pace.getDuration("wait-max").compareTo(waitMax) < 0 ? pace.getDuration("wait-max") : waitMax);
        }
    }

    /**
     * The block {@code vivarium.http.upload}.
     *
     * @param maxBytes the largest content
     * @param atOnce concurrent uploads
     * @param timeout the longest upload
     * @param pause the longest silence of its client
     */
    public record Upload(long maxBytes, int atOnce, Duration timeout, Duration pause) {
        private static Upload from(Config upload) {
            return new Upload(
                    upload.getBytes("max"),
                    upload.getInt("at-once"),
                    upload.getDuration("timeout"),
                    upload.getDuration("pause"));
        }
    }

    /**
     * Reads the settings.
     *
     * @param http the block {@code vivarium.http}
     * @throws ConfigException when a key is missing or wrong
     */
    public static HttpSettings from(Config http) {
        HttpSettings settings = new HttpSettings(
                http.getString("host"),
                http.getInt("port"),
                http.getStringList("allowed-hosts").stream()
                        .map(name -> name.toLowerCase(Locale.ROOT))
                        .collect(Collectors.toUnmodifiableSet()),
                (int) Math.min(http.getBytes("max-body"), Integer.MAX_VALUE / 4),
                http.getBytes("max-bodies"),
                http.getDuration("body-timeout"),
                http.getDuration("request-timeout"),
                http.getDuration("request-wait"),
                http.getDuration("idle-timeout"),
                http.getDuration("heartbeat"),
                http.getInt("max-connections"),
                http.getInt("max-requests-of-one"),
                http.getInt("max-followers"),
                http.getInt("max-followers-of-one"),
                (int) Math.min(http.getBytes("follow-read"), 1 << 20),
                http.getDuration("max-wait"),
                http.getInt("max-submissions"),
                http.getDuration("retry-after"),
                Upload.from(http.getConfig("upload")),
                Http2.from(http.getConfig("http2")),
                // An answer that waits must not be late.
                Paces.from(
                        http.getConfig("pace"),
                        http.getDuration("request-timeout").dividedBy(2)));
        if (settings.heartbeat.compareTo(settings.idleTimeout) >= 0) {
            throw new ConfigException.BadValue(
                    "vivarium.http.heartbeat", "must be less than idle-timeout, or silent event streams are closed");
        }
        if (settings.bodyTimeout.compareTo(settings.requestTimeout) >= 0) {
            throw new ConfigException.BadValue(
                    "vivarium.http.body-timeout",
                    "must be less than request-timeout, or clients with slow bodies get no explanation");
        }
        if (settings.maxFollowers >= settings.maxConnections) {
            throw new ConfigException.BadValue(
                    "vivarium.http.max-followers", "must be less than max-connections, or followers keep others out");
        }
        if (settings.maxWait.compareTo(settings.idleTimeout) >= 0) {
            throw new ConfigException.BadValue(
                    "vivarium.http.max-wait", "must be less than idle-timeout, or those who wait are cut off");
        }
        Paces paces = settings.paces;
        if (Math.min(Math.min(paces.refusalsOfOne, paces.strangers), Math.min(paces.documents, paces.health)) < 1) {
            throw new ConfigException.BadValue("vivarium.http.pace", "must be at least 1 a second, each");
        }
        if (settings.maxBodiesBytes < settings.maxBodyBytes) {
            throw new ConfigException.BadValue("vivarium.http.max-bodies", "must be at least max-body");
        }
        return settings;
    }
}
