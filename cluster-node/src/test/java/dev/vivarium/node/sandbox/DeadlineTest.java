package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Measurement;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration OWN_GRACE = Duration.ofSeconds(3);
    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final Duration WARN_BEFORE = Duration.ofSeconds(10);

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

    @Test
    void theGuestsClockIsArmedForANextLimitBeforeTheNodesOwnMoves() {
        Deadline deadline = deadline(NodeLease.endless());
        deadline.start();
        clock.advance(Duration.ofSeconds(50));

        deadline.tellGuest(Duration.ofSeconds(100));
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(55_000));
        assertThat(deadline.left()).isEqualTo(Duration.ofSeconds(10));
        deadline.withdraw();
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(15_000));

        deadline.tellGuest(Duration.ofSeconds(100));
        assertThat(deadline.moveTo(Duration.ofSeconds(100))).isTrue();
        assertThat(deadline.moveTo(Duration.ofSeconds(100))).isFalse();
        assertThat(deadline.left()).isEqualTo(Duration.ofSeconds(50));
        clock.advance(Duration.ofSeconds(20));
        assertThat(deadline.isPast()).isFalse();
        assertThat(deadline.measurement()).isEqualTo(Measurement.millis(70_000, 100_000));
    }

    @Test
    void aDeadlineCanOnlyMoveToWhatIsStillToCome() {
        Deadline deadline = deadline(NodeLease.endless());
        deadline.start();
        clock.advance(Duration.ofSeconds(50));

        assertThat(deadline.isToCome(Duration.ofSeconds(50))).isFalse();
        assertThat(deadline.isToCome(Duration.ofMillis(50_001))).isTrue();
    }

    @Test
    void theWarningIsDueBeforeTheDeadlineInForceAndNeverInThePast() {
        Deadline deadline = deadline(NodeLease.endless());
        deadline.start();

        assertThat(deadline.untilWarning()).contains(Duration.ofSeconds(50));
        clock.advance(Duration.ofSeconds(55));
        assertThat(deadline.untilWarning()).contains(Duration.ZERO);
        deadline.moveTo(Duration.ofSeconds(100));
        assertThat(deadline.untilWarning()).contains(Duration.ofSeconds(35));
        assertThat(new Deadline(LIMIT, OWN_GRACE, GRACE, Optional.empty(), NodeLease.endless(), clock).untilWarning())
                .isEmpty();
    }

    private Deadline deadline(NodeLease lease) {
        return new Deadline(LIMIT, OWN_GRACE, GRACE, Optional.of(WARN_BEFORE), lease, clock);
    }
}
