package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.OpenLoop.Answer;
import dev.vivarium.loadtests.subject.OpenLoop.Slice;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class OverloadCommandTest {
    @Test
    void acceptedAndRefusedSubmissionsAreCountedApart() {
        TextTable table = OverloadCommand.headings();
        OverloadCommand.row(
                table,
                "3.00x",
                new Slice(
                        List.of(
                                answer(202, 10),
                                answer(202, 30),
                                answer(202, 20),
                                answer(429, 2),
                                answer(503, 1),
                                answer(0, 60_000),
                                answer(500, 5)),
                        Duration.ofSeconds(2)));

        assertThat(table.render())
                .isEqualTo(
                        """
                        offered  sent/s  accepted/s  p50 ms  p99 ms  refused/s  p50 ms refused  p99 ms refused  other
                        -------  ------  ----------  ------  ------  ---------  --------------  --------------  -----
                        3.00x      3.50        1.50    20.0    30.0       1.00             1.0             2.0      2
                        """);
    }

    @ParameterizedTest
    @CsvSource({"--factors,0", "--factors,101", "--in-flight,0", "--slice,0", "--warm-up,0"})
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("overload", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("--factors above 0 and at most 100");
    }

    private static Answer answer(int status, long millis) {
        return new Answer(status, Duration.ofMillis(millis), "");
    }
}
