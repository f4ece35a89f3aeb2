package dev.vivarium.persistence.postgres;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.Map;

/** The configuration by which Pekko Persistence uses a PostgreSQL; the plugin's limits are in reference.conf. */
final class JournalPlugin {
    private static final String PLUGIN = "vivarium-journal";

    /** Runs have none. */
    private static final String NO_SNAPSHOTS = "pekko.persistence.no-snapshot-store";

    private JournalPlugin() {}

    /** An overlay that takes precedence over the node's files. */
    static Config overlay(long store) {
        return ConfigFactory.parseMap(
                Map.of(
                        "pekko.persistence.journal.plugin",
                        PLUGIN,
                        "pekko.persistence.snapshot-store.plugin",
                        NO_SNAPSHOTS,
                        // By default it has a thread of its own, for the answer that there is none.
                        NO_SNAPSHOTS + ".plugin-dispatcher",
                        "pekko.actor.default-dispatcher",
                        PLUGIN + ".class",
                        GroupedJournal.class.getName(),
                        PLUGIN + "." + GroupedJournal.STORE,
                        store),
                "the opened store");
    }
}
