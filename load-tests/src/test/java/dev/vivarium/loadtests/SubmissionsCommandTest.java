package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.subject.ProcessorTimes;
import dev.vivarium.loadtests.subject.SubmissionTrial.Slice;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class SubmissionsCommandTest {
    @Test
    void figuresAreMediansOfSlices() {
        assertThat(SubmissionsCommand.table(List.of(slice(16, 100, 1, 2), slice(16, 300, 1, 4), slice(16, 200, 1, 8))))
                .isEqualTo(
                        """
                        at once  p50 ms  p99 ms  acknowledged/s  to the end/s  refused  node CPU ms a run  PostgreSQL CPU ms a run  caller known ms
                        -------  ------  ------  --------------  ------------  -------  -----------------  -----------------------  ---------------
                        16         2.50    2.50          200.00         50.00        3               2.00                     1.00            0.025
                        """);
    }

    @ParameterizedTest
    @CsvSource({"--in-flight,0", "--in-flight,1001", "--slice,0", "--warm-up,0", "--rounds,0"})
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("submissions", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("--in-flight are from 1 to 1000");
    }

    private static Slice slice(int inFlight, int acknowledged, int submittingSeconds, int endingSeconds) {
        return new Slice(
                inFlight,
                1,
                Duration.ofSeconds(submittingSeconds),
                Duration.ofSeconds(endingSeconds),
                new Series(Collections.nCopies(acknowledged, Duration.ofNanos(2_500_000))),
                new ProcessorTimes(Duration.ofMillis(400), Duration.ofMillis(200), Duration.ZERO),
                Duration.ofNanos(25_000));
    }
}
