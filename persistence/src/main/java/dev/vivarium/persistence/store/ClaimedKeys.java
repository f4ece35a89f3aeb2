package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.util.concurrent.CompletionStage;

/**
 * Which run each idempotency key belongs to, for ever, and for all nodes of an installation alike. Safe for use by any
 * thread.
 */
public interface ClaimedKeys {
    /**
     * Claims the key for a run, unless it was claimed before. Whoever claims at the same time gets the same answer.
     *
     * @param key a digest of the tenant and of what the client calls its submission
     * @param candidate the run that the key belongs to if nobody has claimed it yet
     * @return the run that it belongs to, once that is durable; fails with
     *     {@link dev.vivarium.persistence.journal.StoreUnavailable} when that is unknown: then claim again
     */
    CompletionStage<RunId> claim(Blob key, RunId candidate);
}
