package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.subject.TenantFlood.Beside;
import dev.vivarium.loadtests.subject.TenantFlood.Slice;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class TenantsCommandTest {
    @Test
    void theQuietTenantsLatencyIsComparedWithThatWithoutAFlood() {
        assertThat(TenantsCommand.table(List.of(
                        slice(Beside.NOBODY, 2, 0),
                        slice(Beside.FLOOD, 9, 700),
                        slice(Beside.HELD, 3, 20),
                        slice(Beside.NOBODY, 2, 0),
                        slice(Beside.FLOOD, 11, 900),
                        slice(Beside.HELD, 3, 20))))
                .isEqualTo(
                        """
                        beside                p50 ms  p99 ms  p99 to alone  refused  flood acknowledged/s  flood refused/s
                        --------------------  ------  ------  ------------  -------  --------------------  ---------------
                        nobody                  2.00    2.00         1.00x        2                  0.00             5.00
                        a flood                10.00   10.00         5.00x        2                800.00             5.00
                        a flood over a quota    3.00    3.00         1.50x        2                 20.00             5.00
                        """);
    }

    @ParameterizedTest
    @CsvSource({
        "--connections,0",
        "--connections,501",
        "--quota,0",
        "--pause,0",
        "--slice,0",
        "--warm-up,0",
        "--rounds,0"
    })
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("tenants", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("--connections are from 1 to 500");
    }

    private static Slice slice(Beside beside, int millis, double flood) {
        return new Slice(beside, new Series(List.of(Duration.ofMillis(millis))), 1, flood, 5);
    }
}
