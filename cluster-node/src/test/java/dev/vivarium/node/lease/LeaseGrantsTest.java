package dev.vivarium.node.lease;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Grants among three or more nodes a, b and lost, as seen by a. */
class LeaseGrantsTest {
    private static final Duration LENGTH = Duration.ofSeconds(10);
    /** The length of a lease, and the half second of the guest's last kill. */
    private static final long ENDED = Duration.ofMillis(10_500).toNanos();

    private final LeaseGrants grants = new LeaseGrants(LENGTH);

    @Test
    void aLeaseEndsItsLengthAfterTheLastGrantOfAnyNode() {
        grants.grant("lost", at(1));
        grants.giveUp("lost", "name", 3, at(9));

        grants.reported("lost", "a", grants.last("lost", at(9)), at(9));
        assertThat(grants.end("lost", Set.of("a", "b"))).isEmpty();
        grants.reported("lost", "b", Duration.ofSeconds(6), at(10));

        assertThat(grants.end("lost", Set.of("a", "b"))).hasValue(at(4) + ENDED);
    }

    @Test
    void repeatedLateReportsChangeNothing() {
        grants.giveUp("lost", "name", 2, at(9));
        grants.reported("lost", "a", Duration.ofSeconds(6), at(10));
        grants.reported("lost", "a", Duration.ofSeconds(6), at(12));

        assertThat(grants.end("lost", Set.of("a"))).hasValue(at(4) + ENDED);
    }

    @Test
    void aNodeThatWasGivenUpIsGrantedNoFurtherLease() {
        assertThat(grants.grant("lost", at(1))).isTrue();
        grants.giveUp("lost", "name", 3, at(2));

        assertThat(grants.grant("lost", at(3))).isFalse();
        assertThat(grants.last("lost", at(4))).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void aNewNodeAssumesThatTheLeaseWasGrantedJustNow() {
        grants.grant("lost", at(1));
        grants.giveUp("lost", "name", 3, at(9));
        grants.reported("lost", "a", grants.last("lost", at(9)), at(9));

        LeaseGrants newcomer = new LeaseGrants(LENGTH);
        grants.reported("lost", "b", newcomer.last("lost", at(9)), at(9));

        assertThat(grants.end("lost", Set.of("a", "b"))).hasValue(at(9) + ENDED);
    }

    @Test
    void reportsOfAMinorityDoNotProveTheEndOfALease() {
        grants.grant("lost", at(1));
        grants.giveUp("lost", "name", 5, at(9));
        grants.reported("lost", "a", grants.last("lost", at(9)), at(9));
        grants.reported("lost", "b", Duration.ofSeconds(6), at(9));

        assertThat(grants.end("lost", Set.of("a", "b"))).isEmpty();

        grants.reported("lost", "c", Duration.ofSeconds(6), at(9));

        assertThat(grants.end("lost", Set.of("a", "b"))).hasValue(at(3) + ENDED);
    }

    @Test
    void anotherIncarnationOfTheSameNameHasASeparateLease() {
        grants.grant("lost#1", at(1));
        grants.giveUp("lost#1", "name", 1, at(2));
        grants.reported("lost#1", "a", grants.last("lost#1", at(2)), at(2));
        assertThat(grants.givenUp(at(3))).containsEntry("lost#1", "name");

        grants.forget("name");

        assertThat(grants.givenUp(at(3))).isEmpty();
        assertThat(grants.end("lost#1", Set.of("a"))).isEmpty();
    }

    @Test
    void recordsOfNodesThatWereGivenUpExpire() {
        grants.giveUp("lost", "name", 1, at(2));

        assertThat(grants.givenUp(at(23))).hasSize(1);
        assertThat(grants.givenUp(at(24))).isEmpty();
    }

    private static long at(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
