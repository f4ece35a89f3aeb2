package dev.vivarium.loadtests.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class RatesTest {
    @Test
    void theBestIsTheBestMedianAndNotTheBestSlice() {
        Rates rates = new Rates();
        rates.add("engine", 4, 9.0);
        rates.add("engine", 4, 2.0);
        rates.add("engine", 4, 3.0);
        rates.add("engine", 8, 5.0);
        rates.add("other", 8, 100.0);

        assertThat(rates.best("engine")).isEqualTo(5.0);
    }

    @Test
    void theTableHasARowForEachSubjectAndNumberInFlight() {
        Rates rates = new Rates();
        rates.add("engine", 16, 4.0);
        rates.add("engine", 8, 5.0);
        rates.add("engine", 8, 6.0);

        assertThat(rates.table())
                .isEqualTo(
                        """
                        sandboxes a second  in flight   min  median   max
                        ------------------  ---------  ----  ------  ----
                        engine                      8  5.00    5.50  6.00
                        engine                     16  4.00    4.00  4.00
                        """);
    }

    @Test
    void unmeasuredRatesHaveNoBest() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Rates().best("engine"));
    }
}
