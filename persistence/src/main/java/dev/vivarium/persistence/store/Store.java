package dev.vivarium.persistence.store;

import com.typesafe.config.Config;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.secrets.SecretVault;
import java.time.Duration;
import java.util.Optional;

/**
 * The durable state of a node. A node opens its store before the actor system, whose configuration the store completes,
 * and closes it afterwards.
 */
public interface Store extends AutoCloseable {
    /**
     * The permanent name of the installation that the store belongs to, shared by exactly the nodes that share the
     * store. A ULID in lower case.
     */
    String installation();

    /** The configuration that makes the actor system's journal this store's; takes precedence over everything else. */
    Config journalConfig();

    RunJournal journal();

    OutputStore output();

    RunIndex runs();

    SecretVault secrets();

    /** Contents of files, and anything else too large for an event. */
    BlobStore blobs();

    RunFiles files();

    ClaimedKeys idempotencyKeys();

    RememberedRuns rememberedRuns();

    /** The cluster that owns the store; empty for a store that only one node can use. */
    Optional<StoreOwnership> clusterHold();

    /** How stale {@link #runs} may be; normally about a tenth of a second. */
    Duration projectionLag();

    /**
     * How many runs {@link #runs} shows out of date because this version cannot read one of their events. Every node
     * that starts retries them, and so does each from time to time.
     */
    int unreadableRuns();

    /** Closes all parts in order of their dependencies; returns when they are closed. */
    @Override
    void close();
}
