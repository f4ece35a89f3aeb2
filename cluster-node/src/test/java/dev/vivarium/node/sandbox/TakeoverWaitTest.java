package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TakeoverWaitTest {
    private final SetClock clock = new SetClock();
    private final TakeoverWait wait = TakeoverWait.of(Duration.ofSeconds(13), clock);
    private final long takenOver = clock.nanos();

    @BeforeEach
    void twoSecondsLater() {
        clock.advance(Duration.ofSeconds(2));
    }

    @Test
    void aWholeLeaseIsWaitedForWhenTheLastGrantIsUnknown() {
        assertThat(wait.left("lost", takenOver)).isEqualTo(Duration.ofSeconds(11));
    }

    @Test
    void onlyTheRestOfTheLeaseIsWaitedForWhenTheLastGrantIsKnown() {
        wait.endsAt("lost", takenOver + Duration.ofSeconds(5).toNanos());
        wait.endsAt("lost", takenOver + Duration.ofSeconds(4).toNanos());

        assertThat(wait.left("lost", takenOver)).isEqualTo(Duration.ofSeconds(3));
        assertThat(wait.left("other", takenOver)).isEqualTo(Duration.ofSeconds(11));

        wait.endsAt("other", takenOver);

        assertThat(wait.left("other", takenOver)).isZero();
    }

    @Test
    void anotherIncarnationOfTheNodeHasASeparateLease() {
        wait.endsAt("lost", takenOver);
        wait.forget("lost");

        assertThat(wait.left("lost", takenOver)).isEqualTo(Duration.ofSeconds(11));
    }

    @Test
    void noWaitIsNeededWhereTheEngineShowsTheSandboxes() {
        assertThat(TakeoverWait.none().left("lost", System.nanoTime())).isZero();
    }
}
