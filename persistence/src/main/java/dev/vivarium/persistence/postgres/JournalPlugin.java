package dev.vivarium.persistence.postgres;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.HashMap;
import java.util.Map;

/** The configuration by which Pekko Persistence uses a PostgreSQL: journal, snapshots and reads over one pool. */
final class JournalPlugin {
    /**
     * Connections and threads, which Slick wants equal. The plugin batches waiting writes and runs at most 8 batches at
     * a time, so more would idle.
     */
    private static final int CONNECTIONS = 8;

    /** Statements that may wait for a connection; beyond it a write fails, and the run's entity restarts. */
    private static final int WAITING_MAX = 2_000;

    /** Events that may wait to be written; beyond it a write fails. */
    private static final int EVENTS_WAITING_MAX = 5_000;

    private static final String DATABASE = "slick";

    private JournalPlugin() {}

    /** An overlay that takes precedence over the node's files. */
    static Config overlay(PostgresAddress address) {
        String shared = "pekko-persistence-jdbc.shared-databases." + DATABASE;
        String pool = shared + ".db";
        Map<String, Object> settings = new HashMap<>();
        settings.put("pekko.persistence.journal.plugin", "jdbc-journal");
        settings.put("pekko.persistence.snapshot-store.plugin", "jdbc-snapshot-store");
        for (String plugin : new String[] {"jdbc-journal", "jdbc-snapshot-store", "jdbc-read-journal"}) {
            settings.put(plugin + ".use-shared-db", DATABASE);
        }
        settings.put(shared + ".profile", "slick.jdbc.PostgresProfile$");
        settings.put(pool + ".url", address.url());
        settings.put(pool + ".user", address.user());
        settings.put(pool + ".password", address.password());
        settings.put(pool + ".driver", "org.postgresql.Driver");
        settings.put(pool + ".numThreads", CONNECTIONS);
        settings.put(pool + ".maxConnections", CONNECTIONS);
        settings.put(pool + ".minConnections", CONNECTIONS);
        settings.put(pool + ".queueSize", WAITING_MAX);
        settings.put(pool + ".keepAliveConnection", false);
        // A restarted server is back within this time; writes wait for it rather than fail.
        settings.put(pool + ".connectionTimeout", 5_000);
        settings.put(pool + ".validationTimeout", 1_000);
        settings.put("jdbc-journal.bufferSize", EVENTS_WAITING_MAX);
        // Short, so that the first write let through after an outage shows soon that the store is back.
        settings.put("jdbc-journal.circuit-breaker.reset-timeout", "1s");
        settings.put("jdbc-snapshot-store.circuit-breaker.reset-timeout", "1s");
        return ConfigFactory.parseMap(settings, "the opened store");
    }
}
