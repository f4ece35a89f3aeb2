package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The runs that somebody has to go on with, by shard: each is in here from before its submission is durable until after
 * its end is. One that is in here and was never born, or has ended, is no error: whoever wakes it sees that. Safe for use
 * by any thread. Whatever fails, fails with {@link dev.vivarium.persistence.journal.StoreUnavailable}, and may be repeated.
 */
public interface RememberedRuns {
    /** Remembers a run of the shard, for all nodes; once that is durable. Of a run that is remembered it changes nothing. */
    CompletionStage<Done> remember(String shard, RunId run);

    /** Forgets a run of the shard; one that is not remembered is no error. It may come back after a replica was away. */
    CompletionStage<Done> forget(String shard, RunId run);

    /** All that are remembered of the shard, hundreds to thousands on a large cluster. */
    CompletionStage<Set<RunId>> in(String shard);

    /** All shards of which any is remembered, at most as many as there are shards. */
    CompletionStage<Set<String>> shards();
}
