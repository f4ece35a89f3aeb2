package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The live runs by shard: a run is recorded before its submission is durable, or with it, and removed after its end is,
 * or with it ({@link #changes}). A recorded
 * run that was never submitted or has ended is harmless: its entity notices when it is woken. Thread-safe. Failures are
 * {@link dev.vivarium.persistence.journal.StoreUnavailable}; every operation can be repeated.
 */
public interface RememberedRuns {
    /** How a record can be changed. */
    enum Changes {
        /** By {@link #remember} and {@link #forget} only. */
        APART,
        /** Also by the journal, in one transaction with a run's first or last entry: see {@code RememberingEntry}. */
        WITH_EVENTS
    }

    /** How records of this store can be changed. */
    default Changes changes() {
        return Changes.APART;
    }

    /** Records a run of the shard for all nodes; durable once the stage completes. Idempotent. */
    CompletionStage<Done> remember(String shard, RunId run);

    /** Removes a run of the shard; idempotent. With Cassandra it can reappear after a replica was down. */
    CompletionStage<Done> forget(String shard, RunId run);

    /** All recorded runs of the shard: hundreds to thousands on a large cluster. */
    CompletionStage<Set<RunId>> in(String shard);

    /** All shards with recorded runs. */
    CompletionStage<Set<String>> shards();
}
