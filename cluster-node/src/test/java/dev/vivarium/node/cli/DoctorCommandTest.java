package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.vivarium.node.assembly.HolesOfEveryMachine;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {
    private final CommandLineFixture line = new CommandLineFixture();

    @TempDir
    Path data;

    @Test
    void eachFindingHasALevelAndAReasonAndAProblemIsAFailure() throws IOException {
        int code = doctor("--host", "0.0.0.0", "--json");

        JsonNode report = new JsonMapper().readTree(line.printed());
        assertThat(code).isEqualTo(1);
        assertThat(report.path("level").asText()).isEqualTo("problem");
        assertThat(report.path("holesKnownOn").asText()).matches("\\d{4}-\\d{2}-\\d{2}");
        assertThat(report.path("findings"))
                .anySatisfy(finding -> {
                    assertThat(finding.path("part").asText()).isEqualTo("access");
                    assertThat(finding.path("level").asText()).isEqualTo("problem");
                    assertThat(finding.path("remedy").asText()).contains("127.0.0.1");
                })
                .allSatisfy(
                        finding -> assertThat(finding.path("found").asText()).isNotEmpty());
    }

    @Test
    void theTableFitsTheTerminalAndCountsTheFindings() {
        doctor();

        assertThat(line.printed().lines())
                .allSatisfy(text -> assertThat(text.length()).isLessThanOrEqualTo(100));
        assertThat(line.printed())
                .startsWith("LEVEL")
                .contains("kernel", "memory", "store")
                .containsPattern("\\d+ problems?, \\d+ warnings?, \\d+ notes?\\. Holes are those known on ");
    }

    @Test
    void aPortInUseIsAWarning() throws IOException {
        try (ServerSocket other = new ServerSocket(0)) {
            doctor("--port", Integer.toString(other.getLocalPort()), "--json");
        }

        assertThat(new JsonMapper().readTree(line.printed()).path("findings")).anySatisfy(finding -> {
            assertThat(finding.path("part").asText()).isEqualTo("port");
            assertThat(finding.path("level").asText()).isEqualTo("warning");
        });
    }

    @Test
    void aHoleForWhichNoNodeStartsIsAProblemWithTheSameSentence() throws IOException {
        int code = doctor(
                "--set",
                "vivarium.machine.refuse-known-holes=problem",
                "--set",
                "vivarium.machine.more-known-holes=" + HolesOfEveryMachine.in(data),
                "--json");

        assertThat(code).isEqualTo(1);
        JsonNode report = new JsonMapper().readTree(line.printed());
        assertThat(report.path("holesKnownOn").asText()).isEqualTo("2031-01-02");
        assertThat(report.path("findings")).anySatisfy(finding -> {
            assertThat(finding.path("part").asText()).isEqualTo("start");
            assertThat(finding.path("level").asText()).isEqualTo("problem");
            assertThat(finding.path("found").asText())
                    .startsWith("No node starts on this machine: vivarium.machine.refuse-known-holes is problem, and ")
                    .contains(HolesOfEveryMachine.ID);
            assertThat(finding.path("remedy").asText()).isEqualTo(HolesOfEveryMachine.REMEDY);
        });
    }

    @Test
    void anUnknownKeyIsRefused() {
        assertThat(doctor("--set", "vivarium.machine.refuse-known-hole=never")).isEqualTo(69);
        assertThat(line.noted()).contains("There is no key vivarium.machine.refuse-known-hole");
    }

    private int doctor(String... further) {
        List<String> words =
                new ArrayList<>(List.of("doctor", "--data", data.toString(), "--set", "vivarium.driver.kind=idle"));
        words.addAll(List.of(further));
        return line.run(words.toArray(String[]::new));
    }
}
