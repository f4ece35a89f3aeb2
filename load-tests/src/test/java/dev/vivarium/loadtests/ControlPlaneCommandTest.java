package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.history.ControlPlaneTrial.Report;
import dev.vivarium.loadtests.history.ControlPlaneTrial.Slice;
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

class ControlPlaneCommandTest {
    @Test
    void ratesAreMediansOfSlicesComparedWithTheJournals() {
        Report report =
                new Report(List.of(slice(8, 1_000, 10, 20), slice(8, 3_000, 10, 20), slice(8, 2_000, 10, 40)), 1_600);

        assertThat(ControlPlaneCommand.table(Map.of(3, report)))
                .isEqualTo(
                        """
                        nodes  at once  acknowledged/s  p50 ms  p99 ms  refused  to the end/s  of the journal's
                        -----  -------  --------------  ------  ------  -------  ------------  ----------------
                        3            8          200.00    20.0    30.0        6         50.00             0.13x

                        the journal alone, beside 3 nodes: 1600.00 events a second; a run has 4
                        """);
    }

    @ParameterizedTest
    @CsvSource({"--nodes,0", "--nodes,10", "--in-flight,0", "--slice,0", "--warm-up,0", "--rounds,0"})
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("control-plane", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("--nodes are from 1 to 9");
    }

    private static Slice slice(int inFlight, int acknowledged, int submittingSeconds, int endingSeconds) {
        return new Slice(
                inFlight,
                acknowledged,
                2,
                Duration.ofSeconds(submittingSeconds),
                Duration.ofSeconds(endingSeconds),
                new Series(List.of(Duration.ofMillis(10), Duration.ofMillis(20), Duration.ofMillis(30))));
    }
}
