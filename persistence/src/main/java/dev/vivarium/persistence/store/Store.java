package dev.vivarium.persistence.store;

import com.typesafe.config.Config;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.secrets.SecretVault;
import java.time.Duration;
import java.util.Optional;

/**
 * All that lasts, as one node sees it. A node opens one before its actor system, whose configuration it completes, and
 * closes it after.
 */
public interface Store extends AutoCloseable {
    /**
     * Names the installation that the store belongs to, for ever: the same for all nodes that share the store, and no
     * other's. A ULID in lower case.
     */
    String installation();

    /** What the actor system's configuration must say so that its journal is this store's; goes above everything else. */
    Config journalConfig();

    RunJournal journal();

    OutputStore output();

    RunIndex runs();

    SecretVault secrets();

    /** Contents of files, and whatever else is too large for an event. */
    BlobStore blobs();

    RunFiles files();

    ClaimedKeys idempotencyKeys();

    RememberedRuns rememberedRuns();

    /** Which cluster the store belongs to; empty for one that no other node can use. */
    Optional<StoreOwnership> clusterHold();

    /** How old the answers of {@link #runs} may be; about a tenth of a second while all is well. */
    Duration projectionLag();

    /**
     * How many runs {@link #runs} cannot show as they are, since an event of theirs cannot be read by this version of the
     * code; they are looked at again by every node that starts, and from time to time.
     */
    int unreadableRuns();

    /** Ends everything, in an order that leaves nobody without what it needs; returns when that is done. */
    @Override
    void close();
}
