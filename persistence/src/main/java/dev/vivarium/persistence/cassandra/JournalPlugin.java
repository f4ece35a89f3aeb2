package dev.vivarium.persistence.cassandra;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.HashMap;
import java.util.Map;

/** The configuration by which Pekko Persistence uses a Cassandra: journal and snapshots in Vivarium's keyspace. */
final class JournalPlugin {
    private static final String PLUGIN = "pekko.persistence.cassandra";

    private JournalPlugin() {}

    /** An overlay that takes precedence over the node's files. */
    static Config overlay(CassandraSettings settings, long store) {
        String journal = PLUGIN + ".journal";
        String snapshot = PLUGIN + ".snapshot";
        Map<String, Object> ours = new HashMap<>();
        ours.put("pekko.persistence.journal.plugin", journal);
        ours.put("pekko.persistence.snapshot-store.plugin", snapshot);
        ours.put(journal + ".class", FencedJournal.class.getName());
        ours.put(journal + "." + FencedJournal.STORE, store);
        // Tags and the table of all persistence ids are unused, and both cost writes.
        ours.put(PLUGIN + ".events-by-tag.enabled", false);
        ours.put(journal + ".support-all-persistence-ids", false);
        // The fence decides which rows are committed; the plugin's filter would only check those again.
        ours.put(journal + ".replay-filter.mode", "off");
        for (String plugin : new String[] {journal, snapshot}) {
            ours.put(plugin + ".keyspace", settings.keyspace());
            ours.put(plugin + ".keyspace-autocreate", false);
            ours.put(plugin + ".tables-autocreate", false);
            // Short, so that the first write let through after an outage shows soon that the store is back.
            ours.put(plugin + ".circuit-breaker.reset-timeout", "1s");
        }
        // The plugin's session waits for a cluster that is down while the node starts.
        ours.put(CassandraSettings.DRIVER + ".advanced.reconnect-on-init", true);
        return ConfigFactory.parseMap(ours, "the opened store")
                .withFallback(settings.driverConfig().atPath(CassandraSettings.DRIVER));
    }
}
