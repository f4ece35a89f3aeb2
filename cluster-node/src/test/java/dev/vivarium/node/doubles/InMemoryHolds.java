package dev.vivarium.node.doubles;

import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.Done;

/** Legal holds in memory, which the test can break. */
public final class InMemoryHolds implements HoldStore {
    private final SortedMap<Tenant, LegalHold> holds = new TreeMap<>();
    private Optional<RuntimeException> failure = Optional.empty();

    public synchronized void failWith(RuntimeException why) {
        failure = Optional.of(why);
    }

    /** Holds as many tenants as may be held. */
    public synchronized void fill() {
        for (int n = holds.size(); n < COUNT_MAX; n++) {
            Tenant tenant = new Tenant("filler-" + n);
            holds.put(tenant, new LegalHold(tenant, Optional.empty(), Principal.LOCAL_OPERATOR, Instant.EPOCH));
        }
    }

    /** Whether a tenant is held. */
    public synchronized boolean isHeld(Tenant tenant) {
        return holds.containsKey(tenant);
    }

    private synchronized <T> CompletionStage<T> answer(Supplier<T> value) {
        return failure.<CompletionStage<T>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(value.get()));
    }

    @Override
    public CompletionStage<List<LegalHold>> list() {
        return answer(() -> List.copyOf(holds.values()));
    }

    @Override
    public CompletionStage<Done> put(LegalHold hold) {
        return answer(() -> {
            holds.put(hold.tenant(), hold);
            return Done.getInstance();
        });
    }

    @Override
    public CompletionStage<Optional<LegalHold>> remove(Tenant tenant) {
        return answer(() -> Optional.ofNullable(holds.remove(tenant)));
    }
}
