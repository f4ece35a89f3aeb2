package dev.vivarium.loadtests.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TextTableTest {
    @Test
    void namesAreAlignedLeftAndFiguresRight() {
        String text = new TextTable("subject", "p50")
                .row("Vivarium", "9.5")
                .row("x", "110.0")
                .render();

        assertThat(text)
                .isEqualTo(
                        """
                        subject     p50
                        --------  -----
                        Vivarium    9.5
                        x         110.0
                        """);
    }

    @Test
    void aRowWithMissingCellsIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new TextTable("a", "b").row("only one"));
    }
}
