package dev.vivarium.persistence.cassandra;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.ClearText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How to use a Cassandra cluster; reference.conf explains the keys.
 *
 * @param contactPoints some of its nodes, as host:port
 * @param datacenter the datacenter that all of Vivarium's nodes connect to
 * @param keyspace the keyspace of the tables
 * @param credentials role and password; empty when authentication is off
 * @param replication the keyspace's replication when it is created
 * @param masterKey the file of master keys
 * @param startWait how long to wait at start for a cluster that is down
 * @param driver the driver's own settings, which override the defaults here, with what protects its connections
 */
public record CassandraSettings(
        List<String> contactPoints,
        String datacenter,
        String keyspace,
        Optional<Credentials> credentials,
        Replication replication,
        Path masterKey,
        Duration startWait,
        Config driver) {
    private static final String KEY = "vivarium.store.cassandra.";
    private static final Pattern KEYSPACE = Pattern.compile("[a-z][a-z0-9_]{0,47}");
    private static final Pattern CONTACT_POINT = Pattern.compile(".+:[0-9]{1,5}");
    private static final int PASSWORD_BYTES_MAX = 1024;

    /** The root of the driver's configuration. */
    static final String DRIVER = "datastax-java-driver";

    /** A role of the cluster and its password. */
    public record Credentials(String user, String password) {
        /** Omits the password. */
        @Override
        public String toString() {
            return user;
        }
    }

    /**
     * The replication of the keyspace.
     *
     * @param strategy the class: NetworkTopologyStrategy, or SimpleStrategy for trying it out
     * @param factor replicas in the datacenter; 0 when not configured
     */
    public record Replication(Strategy strategy, int factor) {
        /** Cassandra's strategy classes. */
        public enum Strategy {
            NetworkTopologyStrategy,
            SimpleStrategy
        }

        /** The replication map of CREATE KEYSPACE. */
        String cql(String datacenter) {
            String key = strategy == Strategy.SimpleStrategy ? "replication_factor" : datacenter;
            return "{'class': '" + strategy + "', '" + key.replace("'", "''") + "': " + factor + "}";
        }
    }

    /**
     * Reads {@code vivarium.store.cassandra}, and the file of the password.
     *
     * @throws StoreUnavailable with a sentence that names the missing or invalid key
     */
    public static CassandraSettings from(Config cassandra) {
        try {
            return read(cassandra);
        } catch (ConfigException wrong) {
            throw new StoreUnavailable("vivarium.store.cassandra cannot be read: " + wrong.getMessage(), wrong);
        }
    }

    private static CassandraSettings read(Config cassandra) {
        List<String> points = cassandra.getStringList("contact-points");
        if (points.isEmpty()) {
            throw missing("contact-points");
        }
        for (String point : points) {
            if (!CONTACT_POINT.matcher(point).matches()) {
                throw new StoreUnavailable(KEY + "contact-points names \"" + point
                        + "\", and must name hosts with their ports, such as cassandra-1.example.com:9042.");
            }
        }
        String keyspace = given(cassandra, "keyspace");
        if (!KEYSPACE.matcher(keyspace).matches()) {
            throw new StoreUnavailable(KEY + "keyspace is \"" + keyspace
                    + "\", and must be up to 48 lower case letters, digits and underscores, beginning with a letter.");
        }
        return new CassandraSettings(
                points,
                given(cassandra, "datacenter"),
                keyspace,
                credentials(cassandra),
                replication(cassandra.getConfig("replication")),
                Path.of(given(cassandra, "master-key")),
                cassandra.getDuration("start-wait"),
                CassandraTls.driver(
                        points,
                        cassandra.getConfig("driver"),
                        cassandra.getString("authority").strip(),
                        ClearText.of(cassandra.getBoolean("insecure-store-in-clear-text"))));
    }

    private static Replication replication(Config replication) {
        return new Replication(replication.getEnum(Replication.Strategy.class, "class"), replication.getInt("factor"));
    }

    private static Optional<Credentials> credentials(Config cassandra) {
        String user = cassandra.getString("user").strip();
        return user.isEmpty()
                ? Optional.empty()
                : Optional.of(new Credentials(user, password(Path.of(given(cassandra, "password-file")))));
    }

    private static String password(Path file) {
        try {
            return new String(DurableFiles.read(file, PASSWORD_BYTES_MAX), StandardCharsets.UTF_8).stripTrailing();
        } catch (IOException unreadable) {
            throw new StoreUnavailable(
                    KEY + "password-file: " + file + " cannot be read (" + unreadable + ").", unreadable);
        }
    }

    private static String given(Config cassandra, String key) {
        String value = cassandra.getString(key).strip();
        if (value.isEmpty()) {
            throw missing(key);
        }
        return value;
    }

    private static StoreUnavailable missing(String key) {
        return new StoreUnavailable(
                KEY + key + " is empty: vivarium.store.kind = cassandra needs it; reference.conf says what it is.");
    }

    /** The contact points, for messages. */
    String where() {
        return String.join(", ", contactPoints) + " (datacenter " + datacenter + ")";
    }

    /**
     * The driver's configuration below its root, for the store's session and the journal plugin's: the operator's
     * settings override those here, which override the driver's defaults.
     */
    Config driverConfig() {
        Map<String, Object> ours = new HashMap<>();
        ours.put("basic.contact-points", contactPoints);
        ours.put("basic.load-balancing-policy.local-datacenter", datacenter);
        ours.put("basic.request.consistency", "LOCAL_QUORUM");
        ours.put("basic.request.serial-consistency", "LOCAL_SERIAL");
        // Longer than the server's own timeouts, so that the server reports the outcome of a write.
        ours.put("basic.request.timeout", "5s");
        // Short, to notice quickly when a cluster comes back.
        ours.put("advanced.reconnection-policy.base-delay", "250ms");
        ours.put("advanced.reconnection-policy.max-delay", "2s");
        ours.put("advanced.metadata.schema.enabled", false);
        // Resolve contact points again on reconnecting, since a name may have a new address.
        ours.put("advanced.resolve-contact-points", false);
        for (String profile :
                List.of("pekko-persistence-cassandra-profile", "pekko-persistence-cassandra-snapshot-profile")) {
            ours.put("profiles." + profile + ".basic.request.consistency", "LOCAL_QUORUM");
        }
        credentials.ifPresent(role -> {
            ours.put("advanced.auth-provider.class", "PlainTextAuthProvider");
            ours.put("advanced.auth-provider.username", role.user());
            ours.put("advanced.auth-provider.password", role.password());
        });
        return driver.withFallback(ConfigFactory.parseMap(ours, "the store's settings"));
    }
}
