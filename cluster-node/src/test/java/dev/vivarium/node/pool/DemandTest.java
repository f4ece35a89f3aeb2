package dev.vivarium.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DemandTest {
    private static final double TEN_A_SECOND = 10;
    private static final Duration HALF_LIFE = Duration.ofMinutes(5);

    @Test
    void aBurstNeedsAsManyAsItTakes() {
        Demand demand = Demand.none(0);
        for (int run = 0; run < 100; run++) {
            demand = at(demand, run * 1_000_000L).taken();
        }

        // One of them was replaced during these 0.1 s.
        assertThat(demand.sandboxes()).isEqualTo(99);
    }

    @Test
    void runsThatComeMoreSlowlyThanSandboxesAreCreatedNeedOne() {
        Demand demand = Demand.none(0);
        for (int second = 0; second < 60; second++) {
            demand = at(demand, seconds(second)).taken();
        }

        assertThat(demand.sandboxes()).isEqualTo(1);
    }

    @Test
    void runsThatComeFasterNeedMoreAndMore() {
        Demand demand = Demand.none(0);
        for (int run = 0; run < 300; run++) {
            demand = at(demand, seconds(1) / 20 * run).taken();
        }

        assertThat(demand.sandboxes()).isBetween(148, 152);
    }

    @Test
    void aBurstIsForgottenByHalves() {
        Demand demand = Demand.none(0);
        for (int run = 0; run < 100; run++) {
            demand = demand.taken();
        }

        assertThat(at(demand, HALF_LIFE.toNanos()).sandboxes()).isEqualTo(50);
        assertThat(at(demand, 2 * HALF_LIFE.toNanos()).sandboxes()).isEqualTo(25);
        assertThat(at(demand, 8 * HALF_LIFE.toNanos()).isOver()).isTrue();
    }

    @Test
    void withoutRunsThereIsNone() {
        assertThat(Demand.none(7).isOver()).isTrue();
        assertThat(Demand.none(7).sandboxes()).isZero();
        assertThat(Demand.none(7).taken().sandboxes()).isEqualTo(1);
    }

    private static Demand at(Demand demand, long nanos) {
        return demand.at(nanos, TEN_A_SECOND, HALF_LIFE);
    }

    private static long seconds(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
