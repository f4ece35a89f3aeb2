package dev.vivarium.node.tenant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.KeptLately;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.QuotaCheck;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is kept of tenants counts for their quota: as it was measured last, and what was stored since. */
class KeptOfTenantsTest {
    private static final Tenant TENANT = new Tenant("research");
    private static final long QUOTA = 1000;

    private final AtomicLong nanos = new AtomicLong();
    private final KeptStore store = new KeptStore();
    private final KeptOfTenants kept = new KeptOfTenants(store, nanos::get);
    private final NodeSlots slots = new NodeSlots(
            new Capacity(10, Capacity.UNLIMITED, Capacity.UNLIMITED),
            10,
            10,
            new Drain(),
            nanos::get,
            new QuotaCheck(tenant -> new Quotas(Map.of(Quota.KEPT, QUOTA)), kept::usedBy));
    private final KeptLately lately = slots.keptLately();
    private final Sweep measuring = kept.measuring(lately);

    /** A store whose measurements take some time, in which more may be stored. */
    private final class KeptStore implements KeptData {
        private final Map<Tenant, Size> sizes = new HashMap<>();
        private Duration takes = Duration.ofSeconds(1);
        private Runnable meanwhile = () -> {};
        private Optional<RuntimeException> failure = Optional.empty();
        private int measured;

        @Override
        public Optional<Map<Tenant, Size>> sizes(BooleanSupplier goOn) {
            measured++;
            Map<Tenant, Size> found = Map.copyOf(sizes);
            pass(takes);
            meanwhile.run();
            failure.ifPresent(away -> {
                throw away;
            });
            return goOn.getAsBoolean() ? Optional.of(found) : Optional.empty();
        }

        @Override
        public void forEach(Kind kind, Instant submittedBefore, Consumer<RunId> visit) {
            throw new UnsupportedOperationException("Nothing is deleted here.");
        }

        @Override
        public boolean has(Kind kind, RunId run) {
            throw new UnsupportedOperationException("Nothing is deleted here.");
        }

        @Override
        public boolean isInUse(Tenant tenant, Digest digest) {
            throw new UnsupportedOperationException("Nothing is deleted here.");
        }

        @Override
        public boolean deleteContent(Tenant tenant, Digest digest) {
            throw new UnsupportedOperationException("Nothing is deleted here.");
        }

        @Override
        public Deletion delete(Kind kind, Tenant tenant, RunId run) {
            throw new UnsupportedOperationException("Nothing is deleted here.");
        }
    }

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private void measure() {
        pass(Duration.ofMinutes(1));
        try {
            measuring.sweep(() -> true);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private long used() {
        return slots.usedInCluster(TENANT).of(Quota.KEPT).orElseThrow();
    }

    @Test
    void theUseIsWhatWasMeasuredLast() {
        store.sizes.put(TENANT, new KeptData.Size(300, 400));
        assertThat(used()).isZero();

        measure();

        assertThat(used()).isEqualTo(700);
        assertThat(kept.age()).isEqualTo(Duration.ofSeconds(1));
        assertThat(slots.excess(TENANT, TenantUse.ofKept(300))).isEmpty();
        assertThat(slots.excess(TENANT, TenantUse.ofKept(301)))
                .contains(new QuotaExcess(TENANT, Quota.KEPT, QUOTA, 700, 301));
        assertThat(slots.usedInCluster(new Tenant("other"))).isEqualTo(TenantUse.NONE);
    }

    @Test
    void whatIsStoredCountsAtOnceAndOnceAMeasurementHasSeenItNotTwice() {
        lately.contentStored(TENANT, 200);
        assertThat(used()).isEqualTo(200);
        store.sizes.put(TENANT, new KeptData.Size(0, 200));

        measure();

        assertThat(used()).isEqualTo(200);
    }

    @Test
    void whatIsStoredWhileAMeasurementIsMadeIsNotMissed() {
        store.meanwhile = () -> lately.contentStored(TENANT, 200);

        measure();

        assertThat(used()).isEqualTo(200);
        store.meanwhile = () -> {};
        store.sizes.put(TENANT, new KeptData.Size(0, 200));
        measure();
        assertThat(used()).isEqualTo(200);
    }

    @Test
    void outputOfARunThatTheListMayStillShowAsLiveIsNotMissed() {
        pass(Duration.ofMinutes(1));
        lately.printed(TENANT, 50);
        pass(Duration.ofSeconds(1));
        store.takes = Duration.ofMillis(100);

        try {
            measuring.sweep(() -> true);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
        assertThat(used()).isEqualTo(50);

        store.sizes.put(TENANT, new KeptData.Size(50, 0));
        measure();
        assertThat(used()).isEqualTo(50);
    }

    @Test
    void whatWasDeletedIsFreeAfterTheNextMeasurement() {
        store.sizes.put(TENANT, new KeptData.Size(900, 0));
        measure();
        store.sizes.clear();
        assertThat(used()).isEqualTo(900);

        measure();

        assertThat(used()).isZero();
    }

    @Test
    void aFailedMeasurementLeavesTheLastOne() {
        lately.contentStored(TENANT, 200);
        store.sizes.put(TENANT, new KeptData.Size(0, 200));
        measure();
        store.failure = Optional.of(new StoreUnavailable("away"));
        lately.contentStored(TENANT, 10);

        assertThatThrownBy(this::measure).isInstanceOf(StoreUnavailable.class);

        assertThat(used()).isEqualTo(210);
    }

    @Test
    void aLongMeasurementIsMadeLessOften() {
        store.takes = Duration.ofMinutes(1);
        measure();
        for (int minute = 0; minute < 18; minute++) {
            measure();
        }
        assertThat(store.measured).isEqualTo(1);

        measure();

        assertThat(store.measured).isEqualTo(2);
    }

    @Test
    void roomThatIsReservedIsNotGivenTwice() {
        TenantUse most = TenantUse.ofKept(600);
        assertThat(slots.reserve(TENANT, most)).isEmpty();

        assertThat(slots.reserve(TENANT, most)).contains(new QuotaExcess(TENANT, Quota.KEPT, QUOTA, 600, 600));

        slots.discharge(TENANT, most);
        assertThat(slots.reserve(TENANT, most)).isEmpty();
        assertThat(slots.tenants())
                .as("other nodes are told")
                .extracting(load -> load.use().of(Quota.KEPT).orElse(0))
                .containsExactly(600L);
    }
}
