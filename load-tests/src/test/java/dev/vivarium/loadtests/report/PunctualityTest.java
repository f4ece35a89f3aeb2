package dev.vivarium.loadtests.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PunctualityTest {
    @Test
    void runsThatOutliveTheirDeadlineAreCountedAndNotAveraged() {
        Punctuality punctuality = new Punctuality();
        punctuality.ended("Vivarium", Duration.ofMillis(60), Duration.ofMillis(55));
        punctuality.ended("Vivarium", Duration.ofMillis(20), Duration.ofMillis(15));
        punctuality.ended("Vivarium", Duration.ofMillis(-3), Duration.ofMillis(-8));
        punctuality.alive("timeout");
        punctuality.alive("timeout");

        assertThat(punctuality.table())
                .isEqualTo(
                        """
                        late, ms  ended   p50   p99   max  p50 at least  p99 at least  still alive
                        --------  -----  ----  ----  ----  ------------  ------------  -----------
                        Vivarium      3  20.0  60.0  60.0          15.0          55.0            0
                        timeout       0     -     -     -             -             -            2
                        """);
    }
}
