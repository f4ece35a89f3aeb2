package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Measurement;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration OWN_GRACE = Duration.ofSeconds(3);
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final SetClock clock = new SetClock();

    @Test
    void theGuestsClockExpiresAGraceAfterTheNodes() {
        Deadline deadline = deadline(NodeLease.endless());
        clock.advance(Duration.ofSeconds(5));
        deadline.start();

        assertThat(deadline.left()).isEqualTo(LIMIT);
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(65_000));
        assertThat(deadline.armAgainAfter()).isEmpty();
    }

    @Test
    void theUsedGraceIsTheTimeFromTheRequestToTheEnd() {
        Deadline deadline = deadline(NodeLease.endless());
        deadline.start();
        clock.advance(LIMIT);

        assertThat(deadline.graceMillis()).isZero();
        deadline.askToEnd();
        clock.advance(Duration.ofMillis(40));
        deadline.end();
        clock.advance(Duration.ofMillis(500));

        assertThat(deadline.graceMillis()).isEqualTo(40);
        assertThat(deadline.usedMillis()).isEqualTo(60_040);
    }

    @Test
    void theGuestsClockIsLimitedByTheNodesLeaseAndRearmed() {
        NodeLease lease = NodeLease.of(Duration.ofSeconds(8), clock);
        Deadline deadline = deadline(lease);
        lease.renew(clock.nanos());
        deadline.start();
        clock.advance(Duration.ofSeconds(1));

        assertThat(deadline.arm()).contains(new NodeFrame.Arm(7_000));
        assertThat(deadline.armAgainAfter()).contains(Duration.ofSeconds(2));
        lease.renew(clock.nanos());
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(8_000));
    }

    @Test
    void aLeaseNeverExtendsTheGuestsClockBeyondTheDeadline() {
        NodeLease lease = NodeLease.of(Duration.ofSeconds(8), clock);
        Deadline deadline = deadline(lease);
        deadline.start();

        clock.advance(Duration.ofSeconds(64));
        lease.renew(clock.nanos());
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(1_000));
        clock.advance(Duration.ofSeconds(7));
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(0));
    }

    @Test
    void aGuestIsNotRearmedAfterTheNodesLeaseHasExpired() {
        NodeLease lease = NodeLease.of(Duration.ofSeconds(8), clock);
        Deadline deadline = deadline(lease);
        lease.renew(clock.nanos());
        deadline.start();

        clock.advance(Duration.ofSeconds(8));

        assertThat(deadline.arm()).isEmpty();
        assertThat(deadline.armAgainAfter())
                .as("the lease may still be renewed")
                .isPresent();
    }

    @Test
    void theDeadlineMeasuresTheTimeSinceTheStart() {
        Deadline deadline = deadline(NodeLease.endless());
        clock.advance(Duration.ofSeconds(90));
        deadline.start();
        assertThat(deadline.isPast()).isFalse();

        clock.advance(LIMIT.plusMillis(3));

        assertThat(deadline.isPast()).isTrue();
        assertThat(deadline.measurement()).isEqualTo(Measurement.millis(60_003, 60_000));
    }

    @Test
    void theUsedTimeIsFixedAtTheFirstEnd() {
        Deadline deadline = deadline(NodeLease.endless());
        deadline.start();
        clock.advance(Duration.ofSeconds(3));
        deadline.end();
        clock.advance(Duration.ofSeconds(4));
        deadline.end();

        assertThat(deadline.usedMillis()).isEqualTo(3_000);
        assertThat(deadline.elapsedMillis()).isEqualTo(7_000);
    }

    private Deadline deadline(NodeLease lease) {
        return new Deadline(LIMIT, OWN_GRACE, GRACE, lease, clock);
    }
}
