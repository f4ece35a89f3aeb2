package dev.vivarium.node.lease;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

class LeaseRoundsTest {
    private static final Set<String> FOUR = Set.of("a", "b", "c", "d");

    private final LeaseRounds rounds = new LeaseRounds();

    @Test
    void aMajorityMustGrantInTheSameRound() {
        long first = rounds.begin(100);
        long second = rounds.begin(200);

        assertThat(rounds.granted(first, "a", FOUR)).isEmpty();
        assertThat(rounds.granted(first, "b", FOUR)).isEmpty();
        assertThat(rounds.granted(second, "c", FOUR)).isEmpty();
        assertThat(rounds.granted(first, "c", FOUR)).hasValue(100);
        assertThat(rounds.granted(first, "d", FOUR)).hasValue(100);
    }

    @Test
    void repeatedGrantsAndGrantsOfNonVotersDoNotCount() {
        long round = rounds.begin(100);

        rounds.granted(round, "a", FOUR);
        rounds.granted(round, "b", FOUR);
        assertThat(rounds.granted(round, "b", FOUR)).isEmpty();
        assertThat(rounds.granted(round, "stranger", FOUR)).isEmpty();
    }

    @Test
    void aLoneNodeGrantsItself() {
        assertThat(rounds.granted(rounds.begin(100), "a", Set.of("a"))).hasValue(100);
    }

    @Test
    void anAnswerToAnOldRoundIsIgnored() {
        long old = rounds.begin(100);
        for (int later = 0; later < 8; later++) {
            rounds.begin(200 + later);
        }

        assertThat(rounds.granted(old, "a", Set.of("a"))).isEmpty();
    }
}
