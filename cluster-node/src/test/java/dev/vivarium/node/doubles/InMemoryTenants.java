package dev.vivarium.node.doubles;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.auth.Tenant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A store of tenants' settings that the test can break. */
public final class InMemoryTenants implements TenantStore {
    private final Map<Tenant, StoredTenant> tenants = new HashMap<>();
    private Optional<RuntimeException> failure = Optional.empty();

    public synchronized void goAway() {
        failWith(new StoreUnavailable("The store is away."));
    }

    public synchronized void failWith(RuntimeException reason) {
        failure = Optional.of(reason);
    }

    private <T> CompletionStage<T> answer(T value) {
        return failure.<CompletionStage<T>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(value));
    }

    @Override
    public synchronized CompletionStage<List<StoredTenant>> list() {
        return answer(List.copyOf(tenants.values()));
    }

    @Override
    public synchronized CompletionStage<Optional<StoredTenant>> find(Tenant tenant) {
        return answer(Optional.ofNullable(tenants.get(tenant)));
    }

    @Override
    public synchronized CompletionStage<Replaced> replace(Tenant tenant, long version, TenantSettings settings) {
        long now = Optional.ofNullable(tenants.get(tenant))
                .map(StoredTenant::version)
                .orElse(0L);
        if (failure.isPresent() || now != version) {
            return answer(Replaced.CHANGED_MEANWHILE);
        }
        tenants.put(tenant, new StoredTenant(tenant, version + 1, settings));
        return answer(Replaced.DONE);
    }
}
