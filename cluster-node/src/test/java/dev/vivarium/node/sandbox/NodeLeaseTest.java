package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class NodeLeaseTest {
    private final SetClock clock = new SetClock();
    private final NodeLease lease = NodeLease.of(Duration.ofSeconds(10), clock);

    @Test
    void aNodeThatHasNeverJoinedHasNoFreshLease() {
        assertThat(lease.isFresh()).isFalse();
        assertThat(lease.remainingMillis()).isZero();
    }

    @Test
    void runningWorkMayContinueLongerThanNewWorkMayBegin() {
        lease.renew(clock.nanos());
        assertThat(lease.isFresh()).isTrue();

        clock.advance(Duration.ofMillis(2_501));

        assertThat(lease.isFresh()).isFalse();
        assertThat(lease.remainingMillis()).isEqualTo(7_499);

        clock.advance(Duration.ofSeconds(8));

        assertThat(lease.remainingMillis()).isZero();
    }

    @Test
    void aLateAnswerCountsFromTheTimeOfItsQuestion() {
        long asked = clock.nanos();
        clock.advance(Duration.ofSeconds(4));
        lease.renew(asked);

        assertThat(lease.isFresh()).isFalse();
        assertThat(lease.remainingMillis()).isEqualTo(6_000);

        lease.renew(clock.nanos());
        lease.renew(asked);

        assertThat(lease.remainingMillis()).isEqualTo(10_000);
    }

    @Test
    void aNodeThatWasGivenUpNeverHasALeaseAgain() {
        lease.renew(clock.nanos());
        lease.revoke();
        lease.renew(clock.nanos());

        assertThat(lease.isFresh()).isFalse();
        assertThat(lease.remainingMillis()).isZero();
    }

    @Test
    void aLoneNodeAlwaysHasAFreshLease() {
        assertThat(NodeLease.endless().isFresh()).isTrue();
    }
}
