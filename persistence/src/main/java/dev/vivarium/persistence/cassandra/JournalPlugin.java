package dev.vivarium.persistence.cassandra;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.HashMap;
import java.util.Map;

/** The configuration by which Pekko Persistence writes to a Cassandra: journal and snapshots in our keyspace. */
final class JournalPlugin {
    private static final String PLUGIN = "pekko.persistence.cassandra";

    private JournalPlugin() {}

    /** An overlay: what it says goes above what the node's files say. */
    static Config overlay(CassandraSettings settings, long store) {
        String journal = PLUGIN + ".journal";
        String snapshot = PLUGIN + ".snapshot";
        Map<String, Object> ours = new HashMap<>();
        ours.put("pekko.persistence.journal.plugin", journal);
        ours.put("pekko.persistence.snapshot-store.plugin", snapshot);
        ours.put(journal + ".class", FencedJournal.class.getName());
        ours.put(journal + "." + FencedJournal.STORE, store);
        // Nobody asks for tags or for the names of all journals, and both cost writes.
        ours.put(PLUGIN + ".events-by-tag.enabled", false);
        ours.put(journal + ".support-all-persistence-ids", false);
        // What counts is decided by the fence; the filter would only look at what it lets through.
        ours.put(journal + ".replay-filter.mode", "off");
        for (String plugin : new String[] {journal, snapshot}) {
            ours.put(plugin + ".keyspace", settings.keyspace());
            ours.put(plugin + ".keyspace-autocreate", false);
            ours.put(plugin + ".tables-autocreate", false);
            // After an outage the first write that is let through tells soon that the store is back.
            ours.put(plugin + ".circuit-breaker.reset-timeout", "1s");
        }
        // The plugin's session waits for a cluster that is away just when the node starts.
        ours.put(CassandraSettings.DRIVER + ".advanced.reconnect-on-init", true);
        return ConfigFactory.parseMap(ours, "the opened store")
                .withFallback(settings.driverConfig().atPath(CassandraSettings.DRIVER));
    }
}
