package dev.vivarium.node.joining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.joining.StoreOwnershipWatch.Verdict;
import dev.vivarium.node.membership.Membership.Company;
import dev.vivarium.persistence.store.StoreOwnership.Hold;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How a node decides which cluster owns its store. */
class StoreOwnershipWatchTest {
    private static final Company OLDEST = new Company(Set.of("me", "you"), true, true);
    private static final Company YOUNGER = new Company(Set.of("me", "you"), false, true);
    private static final Company OLDEST_OF_A_MINORITY = new Company(Set.of("me", "you"), true, false);
    private static final Company ALONE = new Company(Set.of("me"), true, true);

    private StoreOwnershipWatch watch = StoreOwnershipWatch.of("me");
    private long nanos = 17;

    @Test
    void aFreeStoreIsTakenByTheOldestNodeOfAMajority() {
        assertThat(look(Hold.FREE, OLDEST)).isEqualTo(Verdict.TAKE);
        assertThat(look(Hold.FREE, YOUNGER)).isEqualTo(Verdict.WAIT);
        assertThat(look(Hold.FREE, OLDEST_OF_A_MINORITY)).isEqualTo(Verdict.WAIT);
        assertThat(look(new Hold("you", 3).released(), OLDEST)).isEqualTo(Verdict.TAKE);
    }

    @Test
    void theHolderContinuesWhileItSeesAMajority() {
        assertThat(look(new Hold("me", 4), OLDEST)).isEqualTo(Verdict.TAKE);
        assertThat(look(new Hold("me", 5), OLDEST_OF_A_MINORITY)).isEqualTo(Verdict.OURS);
    }

    @Test
    void aStoreHeldByAnotherMemberIsOurs() {
        assertThat(look(new Hold("you", 4), YOUNGER)).isEqualTo(Verdict.OURS);
        assertThat(look(new Hold("you", 5), YOUNGER)).isEqualTo(Verdict.OURS);
    }

    @Test
    void aStoreHeldByALostMemberIsTakenByTheOldestImmediately() {
        look(new Hold("you", 4), YOUNGER);

        assertThat(look(new Hold("you", 4), ALONE)).isEqualTo(Verdict.TAKE);
    }

    @Test
    void aStrangerWithAnAdvancingBeatIsAnotherCluster() {
        assertThat(look(new Hold("stranger", 4), ALONE)).isEqualTo(Verdict.WAIT);
        assertThat(look(new Hold("stranger", 4), ALONE)).isEqualTo(Verdict.WAIT);
        assertThat(look(new Hold("stranger", 5), ALONE)).isEqualTo(Verdict.STRANGERS);
    }

    @Test
    void aStrangerThatTakesWhatWasOursIsAnotherCluster() {
        look(new Hold("me", 4), ALONE);

        assertThat(look(new Hold("stranger", 5), ALONE)).isEqualTo(Verdict.STRANGERS);
    }

    @Test
    void aStrangerWhoseBeatStandsStillIsDeadAfterTheSilence() {
        Hold dead = new Hold("stranger", 4);
        assertThat(look(dead, ALONE)).isEqualTo(Verdict.WAIT);

        nanos += StoreOwnershipWatch.SILENCE.toNanos() - 1;
        assertThat(look(dead, ALONE)).isEqualTo(Verdict.WAIT);
        nanos += 1;
        assertThat(look(dead, YOUNGER)).isEqualTo(Verdict.WAIT);
        assertThat(look(dead, OLDEST_OF_A_MINORITY)).isEqualTo(Verdict.WAIT);
        assertThat(look(dead, ALONE)).isEqualTo(Verdict.TAKE);
    }

    private Verdict look(Hold found, Company company) {
        StoreOwnershipWatch.Look look = watch.look(found, company, nanos);
        watch = look.next();
        return look.verdict();
    }
}
