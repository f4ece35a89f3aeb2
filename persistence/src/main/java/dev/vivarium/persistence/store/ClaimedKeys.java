package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.util.concurrent.CompletionStage;

/** Which run each idempotency key belongs to, permanently, for all nodes of an installation. Thread-safe. */
public interface ClaimedKeys {
    /**
     * Claims the key for a run unless it is already claimed. Concurrent claims all return the same run.
     *
     * @param key a digest of the tenant and the client's idempotency key
     * @param candidate the run that gets the key if it is unclaimed
     * @return the run that it belongs to, once that is durable; fails with {@link
     *     dev.vivarium.persistence.journal.StoreUnavailable} when the outcome is unknown; claim again then
     */
    CompletionStage<RunId> claim(Blob key, RunId candidate);
}
