package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.report.Series;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class AuditCommandTest {
    @Test
    void answersAreShownByTheirPercentiles() {
        assertThat(AuditCommand.table(
                        Map.of("the newest", new Series(List.of(Duration.ofMillis(2), Duration.ofMillis(9))))))
                .isEqualTo(
                        """
                        ms          p50  p90  p99  max
                        ----------  ---  ---  ---  ---
                        the newest  2.0  9.0  9.0  9.0
                        """);
    }

    @Test
    void ratesAreThoseOfAllEvents() {
        assertThat(AuditCommand.table(
                        new AuditCommand.Whole(
                                1000,
                                Duration.ofSeconds(2),
                                Duration.ofMillis(5),
                                Duration.ofSeconds(4),
                                600_000,
                                Duration.ofMillis(500)),
                        2000))
                .isEqualTo(
                        """
                        journaled/s  behind at the end, ms  exported/s  bytes exported an event  verified/s
                        -----------  ---------------------  ----------  -----------------------  ----------
                        500                            5.0         500                      300        4000
                        """);
    }

    @ParameterizedTest
    @CsvSource({"--fill,0", "--rounds,0"})
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("audit", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("--fill and --rounds must be at least 1");
    }
}
