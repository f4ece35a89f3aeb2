package dev.vivarium.node.tenant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RatesTest {
    private static final Tenant A = new Tenant("a");

    private final AtomicLong nanos = new AtomicLong(-1_000);
    private final Map<Quota, Long> quotas = new EnumMap<>(Quota.class);
    private final Rates rates = new Rates(tenant -> new Quotas(quotas), nanos::get);

    @Test
    void withoutAQuotaNothingIsCounted() {
        for (int n = 0; n < 10_000; n++) {
            assertThat(rates.ask(A, Quota.READS)).isEmpty();
        }
    }

    @Test
    void inEveryStretchOfTimeAtMostTheRateAndOneBurstIsLetThrough() {
        quotas.put(Quota.READS, 50L);
        Random random = new Random(1);
        long through = 0;
        for (int step = 0; step < 20_000; step++) {
            nanos.addAndGet(random.nextInt(2_000_000));
            through += rates.ask(A, Quota.READS).isEmpty() ? 1 : 0;
        }
        long seconds = Duration.ofNanos(nanos.get()).toSeconds();
        assertThat(through).isBetween(50 * seconds, 50 * (seconds + 2));
    }

    @Test
    void whoAsksTooFastIsToldWhenToAskAgain() {
        quotas.put(Quota.SUBMISSIONS, 2L);
        rates.ask(A, Quota.SUBMISSIONS);
        rates.ask(A, Quota.SUBMISSIONS);

        Rates.TooFast fast = rates.ask(A, Quota.SUBMISSIONS).orElseThrow();

        assertThat(fast.after()).isEqualTo(Duration.ofMillis(500));
        assertThat(fast.excess().used()).isEqualTo(2);
        nanos.addAndGet(fast.after().toNanos());
        assertThat(rates.ask(A, Quota.SUBMISSIONS)).isEmpty();
        assertThat(rates.ask(A, Quota.READS)).as("another quota").isEmpty();
    }

    @Test
    void aChangedQuotaHoldsAtOnce() {
        quotas.put(Quota.READS, 1L);
        rates.ask(A, Quota.READS);
        assertThat(rates.ask(A, Quota.READS)).isPresent();

        quotas.put(Quota.READS, 3L);
        assertThat(rates.ask(A, Quota.READS)).isEmpty();
        quotas.put(Quota.READS, 0L);
        assertThat(rates.ask(A, Quota.READS).orElseThrow().after()).isPositive();
        quotas.remove(Quota.READS);
        assertThat(rates.ask(A, Quota.READS)).isEmpty();
    }

    @Test
    void toLookAtTheRateCountsNothing() {
        quotas.put(Quota.SUBMISSIONS, 1L);
        assertThat(rates.look(A)).isEmpty();
        assertThat(rates.look(A)).isEmpty();
        rates.ask(A, Quota.SUBMISSIONS);

        assertThat(rates.look(A)).isEqualTo(rates.ask(A, Quota.SUBMISSIONS)).isPresent();
    }

    @Test
    void overTheRateAsManyAreLookedUpAsTheRateSays() {
        quotas.put(Quota.SUBMISSIONS, 2L);
        for (int submission = 0; submission < 5; submission++) {
            assertThat(rates.lookUp(A)).as("within the rate").isEmpty();
        }
        rates.ask(A, Quota.SUBMISSIONS);
        rates.ask(A, Quota.SUBMISSIONS);

        assertThat(rates.lookUp(A)).isEmpty();
        assertThat(rates.lookUp(A)).isEmpty();
        assertThat(rates.lookUp(A)).isPresent();
        quotas.put(Quota.SUBMISSIONS, 0L);
        assertThat(rates.lookUp(A)).as("an accepted one, of before").isEmpty();
        assertThat(rates.lookUp(A)).isPresent();
    }
}
