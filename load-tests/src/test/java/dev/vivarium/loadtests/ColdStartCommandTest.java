package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.report.Series;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ColdStartCommandTest {
    @Test
    void theTableComparesVivariumWithEachOther() {
        Map<String, Series> measured = new LinkedHashMap<>();
        measured.put("Vivarium: POST, follow", series(120, 100, 110));
        measured.put("docker run --rm", series(240, 210, 220));

        assertThat(ColdStartCommand.table(measured))
                .isEqualTo(
                        """
                        first byte after, ms      min    p50    p90    p99    max  Vivarium to it  by rounds
                        ----------------------  -----  -----  -----  -----  -----  --------------  ---------
                        Vivarium: POST, follow  100.0  110.0  120.0  120.0  120.0           1.00x      1.00x
                        docker run --rm         210.0  220.0  240.0  240.0  240.0           0.50x      0.50x
                        """);
    }

    @Test
    void tooFewRoundsAreRefusedBeforeAnythingIsMeasured() {
        CommandLine line = Bench.commandLine();
        java.io.StringWriter err = new java.io.StringWriter();
        line.setErr(new java.io.PrintWriter(err));

        int code = line.execute("cold-start", "--rounds", "3", "--url", "http://127.0.0.1:1");

        assertThat(code).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("--rounds is at least 20");
    }

    private static Series series(int... millis) {
        return new Series(java.util.stream.IntStream.of(millis)
                .mapToObj(Duration::ofMillis)
                .toList());
    }
}
