package dev.vivarium.persistence.store;

import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.auth.Tenant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What operators have set for tenants, for all nodes of an installation. Every stage fails with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} when the outcome is unknown. Thread-safe.
 */
public interface TenantStore {
    /**
     * A tenant's settings as they are stored.
     *
     * @param version counts their changes, from 1
     */
    record StoredTenant(Tenant tenant, long version, TenantSettings settings) {}

    /** The result of a conditional change. */
    enum Replaced {
        /** The settings are those given, durably. */
        DONE,
        /** Somebody else has changed them meanwhile. */
        CHANGED_MEANWHILE
    }

    /** All tenants with settings, in no particular order. */
    CompletionStage<List<StoredTenant>> list();

    /** The tenant's settings as they are now, on whichever node they were changed last. */
    CompletionStage<Optional<StoredTenant>> find(Tenant tenant);

    /**
     * Replaces a tenant's settings, unless they have changed.
     *
     * @param version that of the settings to replace; 0 when the tenant has none
     */
    CompletionStage<Replaced> replace(Tenant tenant, long version, TenantSettings settings);
}
