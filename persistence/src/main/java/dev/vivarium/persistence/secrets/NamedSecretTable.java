package dev.vivarium.persistence.secrets;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The rows of tenants' secrets, as each store has them. Every stage fails with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} when the outcome is unknown. Thread-safe.
 */
public interface NamedSecretTable {
    /**
     * A secret without its value.
     *
     * @param version counts the values put under the name, from 1
     * @param putBy who put this version
     * @param usedAt the last use that was noted; nodes note one a minute
     */
    record Listed(
            Tenant tenant, SecretName name, long version, Principal putBy, Instant putAt, Optional<Instant> usedAt) {}

    /** A secret with its sealed value. */
    record SealedSecret(
            Tenant tenant,
            SecretName name,
            long version,
            NamedSecretSeal.Sealed sealed,
            Principal putBy,
            Instant putAt) {}

    /** The secret as it is now, on whichever node it was changed last. */
    CompletionStage<Optional<SealedSecret>> find(Tenant tenant, SecretName name);

    /** All of the tenant's, in no particular order. */
    CompletionStage<List<Listed>> list(Tenant tenant);

    /**
     * Puts a row in the place of the version before it, durably; for version 1, where there is none.
     *
     * @return whether it was done; else somebody else has changed the secret meanwhile
     */
    CompletionStage<Boolean> put(SealedSecret row);

    /**
     * Replaces what is sealed of a version, unless that has changed.
     *
     * @param before the master key that it was sealed with
     * @return whether it was done
     */
    CompletionStage<Boolean> reseal(SealedSecret row, String before);

    /** Removes a secret and all about it, durably; returns whether there was one. */
    CompletionStage<Boolean> remove(Tenant tenant, SecretName name);

    /** Notes a use; an earlier one than is noted changes nothing. */
    CompletionStage<Done> use(Tenant tenant, SecretName name, Instant at);

    /** Secrets of all tenants that are sealed with another master key than this; at most {@code max}. */
    CompletionStage<List<SealedSecret>> notSealedWith(String master, int max);
}
