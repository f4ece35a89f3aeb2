package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Measurement;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final SetClock clock = new SetClock();

    @Test
    void theGuestsClockFollowsTheNodesByAGrace() {
        Deadline deadline = deadline(NodeLease.endless());
        clock.advance(Duration.ofSeconds(5));
        deadline.start();

        assertThat(deadline.left()).isEqualTo(LIMIT);
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(62_000));
        assertThat(deadline.armAgainAfter()).isEmpty();
    }

    @Test
    void theGuestsClockEndsWithTheNodesLeaseWhenThatIsSoonerAndIsArmedAgain() {
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
    void aLeaseNeverTakesTheGuestsClockBeyondTheDeadline() {
        NodeLease lease = NodeLease.of(Duration.ofSeconds(8), clock);
        Deadline deadline = deadline(lease);
        deadline.start();

        clock.advance(Duration.ofSeconds(61));
        lease.renew(clock.nanos());
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(1_000));
        clock.advance(Duration.ofSeconds(7));
        assertThat(deadline.arm()).contains(new NodeFrame.Arm(0));
    }

    @Test
    void aGuestIsNotArmedAgainByANodeWhoseLeaseIsOver() {
        NodeLease lease = NodeLease.of(Duration.ofSeconds(8), clock);
        Deadline deadline = deadline(lease);
        lease.renew(clock.nanos());
        deadline.start();

        clock.advance(Duration.ofSeconds(8));

        assertThat(deadline.arm()).isEmpty();
        assertThat(deadline.armAgainAfter()).as("it may be renewed yet").isPresent();
    }

    @Test
    void whatIsMeasuredAtTheDeadlineIsTheTimeSinceTheStart() {
        Deadline deadline = deadline(NodeLease.endless());
        clock.advance(Duration.ofSeconds(90));
        deadline.start();
        assertThat(deadline.isPast()).isFalse();

        clock.advance(LIMIT.plusMillis(3));

        assertThat(deadline.isPast()).isTrue();
        assertThat(deadline.measurement()).isEqualTo(Measurement.millis(60_003, 60_000));
    }

    @Test
    void theTimeThatIsUsedEndsOnceAndTheClockGoesOn() {
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
        return new Deadline(LIMIT, GRACE, lease, clock);
    }
}
