package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.history.LiveRunsTrial.Held;
import dev.vivarium.loadtests.history.LiveRunsTrial.Report;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class LiveRunsCommandTest {
    private static final long MIB = 1024 * 1024;

    @Test
    void theCostOfARunIsTheAddedHeap() {
        Report report = new Report(
                List.of(new Held("node-1", 1_024, 50 * MIB, 60 * MIB), new Held("node-2", 2_048, 50 * MIB, 90 * MIB)),
                Duration.ofSeconds(100),
                2_048,
                Duration.ofMillis(10_500),
                Duration.ofMillis(20_250));

        assertThat(LiveRunsCommand.table(report))
                .isEqualTo(
                        """
                        node    live runs  heap before MiB  heap with them MiB  KiB a run
                        ------  ---------  ---------------  ------------------  ---------
                        node-1       1024             50.0                60.0       10.0
                        node-2       2048             50.0                90.0       20.0

                        all were live after 100 s
                        a node with 2048 of them was killed: half were live elsewhere after 10500.0 ms, all after 20250.0 ms
                        """);
    }

    @Test
    void aTooLargeFileIsRefusedBeforeAnythingIsStarted() {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("live-runs", "--file-bytes", "8000001")).isEqualTo(2);
        assertThat(printed.toString()).contains("--file-bytes is from 0 to 8000000");
    }

    @ParameterizedTest
    @CsvSource({"--nodes,1", "--nodes,10", "--runs,2", "--runs,1000001"})
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("live-runs", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("--nodes is from 2 to 9");
    }
}
