package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.subject.PrintedLines.Line;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class OutputCommandTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    @Test
    void theWayOfALineIsDividedAtTheNode() {
        List<Line> followed = IntStream.rangeClosed(1, 100)
                .mapToObj(index -> new Line(NOON, Optional.of(at(1_000)), at(1_000 + 100 * index)))
                .toList();

        assertThat(OutputCommand.table(followed, List.of(new Line(NOON, Optional.empty(), at(2_000)))))
                .isEqualTo(
                        """
                        a line, ms                   lines  p50   p90   p99   max
                        ---------------------------  -----  ---  ----  ----  ----
                        Vivarium: agent to node        100  1.0   1.0   1.0   1.0
                        Vivarium: node to follower     100  5.0   9.0   9.9  10.0
                        Vivarium: agent to follower    100  6.0  10.0  10.9  11.0
                        docker run: agent to caller      1  2.0   2.0   2.0   2.0
                        """);
    }

    @ParameterizedTest
    @CsvSource({"--rounds,0", "--lines,20", "--every,0"})
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("output", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("--lines more than 20");
    }

    private static Instant at(long micros) {
        return NOON.plusNanos(micros * 1_000);
    }
}
