package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class BeginningsTest {
    private Instant now = Fixtures.NOON;
    private final Beginnings beginnings = new Beginnings(new Clock() {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    });

    @Test
    void aJournalIsEmptyForTheFirstWhoLooks() {
        beginnings.add(Fixtures.run(1));

        assertThat(beginnings.take(Fixtures.run(2))).isFalse();
        assertThat(beginnings.take(Fixtures.run(1))).isTrue();
        assertThat(beginnings.take(Fixtures.run(1))).isFalse();
    }

    @Test
    void afterAWhileNothingIsCertain() {
        beginnings.add(Fixtures.run(1));
        now = now.plus(Beginnings.HOLDS).minus(Duration.ofNanos(1));
        beginnings.add(Fixtures.run(2));
        now = now.plus(Duration.ofNanos(1));

        assertThat(beginnings.take(Fixtures.run(1))).isFalse();
        assertThat(beginnings.take(Fixtures.run(2))).isTrue();
    }

    @Test
    void beyondTheLimitTheOldestIsForgotten() {
        for (int number = 1; number <= Beginnings.RUNS_MAX + 1; number++) {
            beginnings.add(Fixtures.run(number));
        }

        assertThat(beginnings.take(Fixtures.run(1))).isFalse();
        assertThat(beginnings.take(Fixtures.run(2))).isTrue();
    }
}
