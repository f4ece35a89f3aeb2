package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.VerificationCommand.Taken;
import dev.vivarium.loadtests.subject.SyntheticExport;
import dev.vivarium.loadtests.subject.VerificationProbe;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class VerificationCommandTest {
    @Test
    void ratesAreComparedWithTheFirstWay() {
        Map<String, List<Taken>> times = new LinkedHashMap<>();
        times.put("slowly", List.of(new Taken(Duration.ofMillis(500), Duration.ofMillis(400))));
        times.put("fast", List.of(new Taken(Duration.ofMillis(100), Duration.ofMillis(180))));

        assertThat(VerificationCommand.table(1000, times))
                .isEqualTo(
                        """
                        events a second    min  median    max  to the first  processor ns an event
                        ---------------  -----  ------  -----  ------------  ---------------------
                        slowly            2000    2000   2000         1.00x                 400000
                        fast             10000   10000  10000         5.00x                 180000
                        """);
    }

    @Test
    void aSyntheticExportIsProvenInEachWay(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("export.ndjson");
        SyntheticExport export = SyntheticExport.write(file, 1000);

        assertThat(Files.readAllLines(file)).hasSize(1002);
        assertThat(VerificationProbe.verifyByJson(file, export.keys())).isPositive();
        assertThat(VerificationProbe.verify(file, export.keys(), 2)).isPositive();
        assertThat(VerificationProbe.hash(export, 2)).isPositive();
    }

    @ParameterizedTest
    @CsvSource({"--events,0", "--rounds,0"})
    void invalidOptionsAreRefusedBeforeAnythingIsMeasured(String option, String value) {
        CommandLine line = Bench.commandLine();
        StringWriter printed = new StringWriter();
        line.setErr(new PrintWriter(printed, true));

        assertThat(line.execute("verification", option, value)).isEqualTo(2);
        assertThat(printed.toString()).contains("and --rounds at least 1");
    }
}
