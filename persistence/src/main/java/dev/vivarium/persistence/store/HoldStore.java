package dev.vivarium.persistence.store;

import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Tenant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Legal holds of tenants, which {@link KeptData#delete} heeds. Every stage fails with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} when the outcome is unknown. Thread-safe.
 */
public interface HoldStore {
    /** How many tenants may be held. */
    int COUNT_MAX = 1000;

    /** All holds, by tenant. */
    CompletionStage<List<LegalHold>> list();

    /**
     * Puts a hold, in the place of the tenant's own if there is one. Once the stage completes, nothing that is kept of the
     * tenant's runs is deleted, by whichever node: a deletion under way is over by then.
     */
    CompletionStage<Done> put(LegalHold hold);

    /** Removes a tenant's hold; answers with it if there was one. */
    CompletionStage<Optional<LegalHold>> remove(Tenant tenant);
}
