package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.network.EgressUse;
import java.util.List;
import org.junit.jupiter.api.Test;

class DenialNotesTest {
    @Test
    void theFirstDenialIsReportedImmediatelyAndNoneTwice() {
        DenialNotes notes = DenialNotes.none();

        assertThat(notes.isDue(denied(0), 10)).isFalse();
        assertThat(notes.isDue(denied(1), 10)).isTrue();
        assertThat(notes.afterReport(denied(1), 10).isDue(denied(1), 100_000)).isFalse();
        assertThat(notes.afterReport(denied(1), 10).isLeft(denied(1))).isFalse();
    }

    @Test
    void denialsOfAWholeDayAddUpToAFewHundredEvents() {
        DenialNotes notes = DenialNotes.none();
        int told = 0;
        for (long second = 0; second < 24 * 3_600; second++) {
            EgressUse use = denied(second + 1);
            if (notes.isDue(use, second * 1_000)) {
                notes = notes.afterReport(use, second * 1_000);
                told++;
            }
        }

        assertThat(told).isBetween(200, 300);
    }

    @Test
    void laterDenialsAreReportedAtTheEnd() {
        DenialNotes notes = DenialNotes.none().afterReport(denied(1), 0);

        assertThat(notes.isDue(denied(2), 500)).isFalse();
        assertThat(notes.isLeft(denied(2))).isTrue();
    }

    private static EgressUse denied(long total) {
        return new EgressUse(0, EgressUse.Reached.NOTHING, EgressUse.Traffic.NOTHING, total, 1, List.of());
    }
}
