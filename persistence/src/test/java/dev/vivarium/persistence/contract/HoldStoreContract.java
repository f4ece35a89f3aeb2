package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** The contract of every store's legal holds; what they keep is in {@link RetentionContract}. */
public abstract class HoldStoreContract {
    private static final Instant NOON = Instant.parse("2026-12-02T12:00:00.123Z");
    private static final Principal OPERATOR = new Principal(Principal.Kind.TOKEN, "ops");

    /** Others' tests may have left theirs. */
    private final Tenant tenant = new Tenant("h-" + UUID.randomUUID());

    protected abstract HoldStore holds();

    @Test
    void aTenantIsNotHeldUntilAHoldIsPut() {
        assertThat(ours()).isEmpty();
        assertThat(join(holds().remove(tenant))).isEmpty();
    }

    @Test
    void aHoldIsListedAsItWasPut() {
        LegalHold hold = new LegalHold(tenant, Optional.of("case 4711: \"all\" of it"), OPERATOR, NOON);

        join(holds().put(hold));

        assertThat(ours()).containsExactly(hold);
    }

    @Test
    void aHoldThatIsPutAgainHasTheLastReason() {
        join(holds().put(new LegalHold(tenant, Optional.of("case 4711"), OPERATOR, NOON)));
        LegalHold again = new LegalHold(tenant, Optional.empty(), Principal.LOCAL_OPERATOR, NOON.plusSeconds(1));

        join(holds().put(again));

        assertThat(ours()).containsExactly(again);
    }

    @Test
    void aHoldIsRemovedOnceAndCanBePutAgain() {
        LegalHold hold = new LegalHold(tenant, Optional.empty(), OPERATOR, NOON);
        join(holds().put(hold));

        assertThat(join(holds().remove(tenant))).contains(hold);
        assertThat(join(holds().remove(tenant))).isEmpty();
        assertThat(ours()).isEmpty();

        join(holds().put(hold));
        assertThat(ours()).containsExactly(hold);
    }

    @Test
    void holdsAreListedByTenant() {
        Tenant first = new Tenant("a-" + tenant);
        join(holds().put(new LegalHold(tenant, Optional.empty(), OPERATOR, NOON)));
        join(holds().put(new LegalHold(first, Optional.empty(), OPERATOR, NOON)));

        assertThat(join(holds().list()))
                .extracting(LegalHold::tenant)
                .isSorted()
                .contains(first, tenant);
    }

    private List<LegalHold> ours() {
        return join(holds().list()).stream()
                .filter(hold -> hold.tenant().equals(tenant))
                .toList();
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
