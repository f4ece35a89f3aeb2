package dev.vivarium.node.http.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When answers leave that are paced. */
class PaceTest {
    private static final Pace TEN_A_SECOND = new Pace(10, Duration.ofSeconds(5));

    private long now = Long.MAX_VALUE - 1;
    private long due = now;

    @Test
    void aSecondsWorthLeavesAtOnceAndWhatIsMoreOneAfterAnother() {
        assertThat(waits(10)).containsOnly(Duration.ZERO);

        assertThat(waits(3)).containsExactly(Duration.ofMillis(100), Duration.ofMillis(200), Duration.ofMillis(300));
    }

    @Test
    void nothingWaitsForLongerThanTheMost() {
        waits(1_000);

        assertThat(waits(1)).containsExactly(Duration.ofSeconds(5));
    }

    @Test
    void afterAFloodItsWaitsAreOverInTheirTime() {
        waits(1_000);

        now += Duration.ofSeconds(5).toNanos();
        assertThat(waits(2)).containsExactly(Duration.ofMillis(100), Duration.ofMillis(200));
        now += Duration.ofSeconds(2).toNanos();
        assertThat(waits(10)).containsOnly(Duration.ZERO);
    }

    @Test
    void oneWhoComesBackAfterEachAnswerIsAsFastAsThePace() {
        waits(10);
        long begun = now;

        for (int answer = 0; answer < 50; answer++) {
            now += waits(1).get(0).toNanos();
        }

        assertThat(Duration.ofNanos(now - begun)).isEqualTo(Duration.ofSeconds(5));
    }

    private List<Duration> waits(int answers) {
        List<Duration> waits = new ArrayList<>();
        for (int answer = 0; answer < answers; answer++) {
            Pace.Turn turn = TEN_A_SECOND.next(due, now);
            due = turn.due();
            waits.add(turn.waits());
        }
        return waits;
    }
}
