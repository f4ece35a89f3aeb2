package dev.vivarium.node.tenant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.doubles.InMemoryAudit;
import dev.vivarium.node.doubles.MovableClock;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EgressOfTodayTest {
    private final MovableClock clock = new MovableClock(Instant.parse("2026-12-02T23:59:00Z"));
    private final InMemoryAudit audit = new InMemoryAudit();
    private final EgressOfToday egress = new EgressOfToday(audit, clock);

    @Test
    void isWhatTheCountsOfTodaySay() {
        assertThat(egress.usedBy(Tenant.DEFAULT)).isEqualTo(TenantUse.NONE);

        egress.refresh().toCompletableFuture().join();

        assertThat(egress.usedBy(Tenant.DEFAULT)).isEqualTo(TenantUse.ofEgress(2));
        assertThat(egress.usedBy(new Tenant("other"))).isEqualTo(TenantUse.NONE);
    }

    @Test
    void beginsAnewAtMidnight() {
        egress.refresh().toCompletableFuture().join();

        clock.pass(Duration.ofMinutes(1));

        assertThat(egress.usedBy(Tenant.DEFAULT)).isEqualTo(TenantUse.NONE);
    }

    @Test
    void staysAsItWasReadLastWhileTheStoreIsAway() {
        egress.refresh().toCompletableFuture().join();
        audit.failure = Optional.of(new StoreUnavailable("away"));

        assertThat(egress.refresh().toCompletableFuture()).isCompletedExceptionally();

        assertThat(egress.usedBy(Tenant.DEFAULT)).isEqualTo(TenantUse.ofEgress(2));
    }
}
