package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class TakeoverWaitTest {
    private static final long TAKEN_OVER = 1_000;

    private final TakeoverWait wait = TakeoverWait.of(Duration.ofSeconds(13), new NodeClock() {
        @Override
        public Instant now() {
            return Instant.EPOCH;
        }

        @Override
        public long nanos() {
            return TAKEN_OVER + Duration.ofSeconds(2).toNanos();
        }
    });

    @Test
    void aWholeLeaseIsWaitedForWhereNobodyKnowsWhenItWasGrantedLast() {
        assertThat(wait.left("lost", TAKEN_OVER)).isEqualTo(Duration.ofSeconds(11));
    }

    @Test
    void noLongerThanItLastsIsWaitedForWhereThatIsKnown() {
        wait.endsAt("lost", TAKEN_OVER + Duration.ofSeconds(5).toNanos());
        wait.endsAt("lost", TAKEN_OVER + Duration.ofSeconds(4).toNanos());

        assertThat(wait.left("lost", TAKEN_OVER)).isEqualTo(Duration.ofSeconds(3));
        assertThat(wait.left("other", TAKEN_OVER)).isEqualTo(Duration.ofSeconds(11));

        wait.endsAt("other", TAKEN_OVER);

        assertThat(wait.left("other", TAKEN_OVER)).isZero();
    }

    @Test
    void anotherLifeOfTheNodeHasAnotherLease() {
        wait.endsAt("lost", TAKEN_OVER);
        wait.forget("lost");

        assertThat(wait.left("lost", TAKEN_OVER)).isEqualTo(Duration.ofSeconds(11));
    }

    @Test
    void nobodyWaitsWhereTheEngineTells() {
        assertThat(TakeoverWait.none().left("lost", System.nanoTime())).isZero();
    }
}
