package dev.vivarium.node.cli;

import static dev.vivarium.client.ScriptedNode.answer;
import static dev.vivarium.client.ScriptedNode.cutOff;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ApiJson;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.persistence.audit.SampleExport;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exports by command: into a file, across lost connections, and verified afterwards. */
class AuditExportCommandsTest {
    private static final String CALL = "GET /v1/audit/export";
    private static final String NDJSON = "application/x-ndjson";

    @TempDir
    private Path home;

    private final CommandLineFixture line = new CommandLineFixture();
    private final SampleExport log = new SampleExport(20);
    private ScriptedNode node;
    private Path file;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        line.against(node).home = home;
        file = home.resolve("events.ndjson");
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private static String text(List<ExportLine> lines) {
        return lines.stream()
                .map(one ->
                        new String(ApiJson.bytes(ApiJson.tree(one)), java.nio.charset.StandardCharsets.UTF_8) + "\n")
                .collect(Collectors.joining());
    }

    private String export(int from, int to) {
        return text(log.lines(from, to));
    }

    @Test
    void anExportThatIsCutOffOnTheWayGoesOnBehindItsLastEvent() throws IOException {
        String whole = export(0, 20);
        int half = whole.indexOf("\"position\":7,");
        node.on(CALL, cutOff(whole.substring(0, half)), answer(200, NDJSON, export(7, 20)));

        assertThat(line.run("audit", "export", "--output", file.toString())).isZero();

        assertThat(node.requests(CALL).get(1).line()).endsWith("?from=7");
        assertThat(line.run("audit", "verify", file.toString(), "--key", log.verifier()))
                .as(line.printed())
                .isZero();
        assertThat(line.printed()).startsWith("PROVEN\n20 events, positions 0 to 19");
    }

    @Test
    void theSameCommandGoesOnWithAFileThatWasCutOffAndLeavesAWholeOneAlone() throws IOException {
        String whole = export(0, 20);
        Files.writeString(file, whole.substring(0, whole.indexOf("\"position\":7,")));
        assertThat(line.run("audit", "verify", file.toString(), "--key", log.verifier()))
                .isEqualTo(ExitCode.UNEXPECTED);
        assertThat(line.printed()).contains("is damaged, or was cut off");
        node.on(CALL, answer(200, NDJSON, export(7, 20)));

        assertThat(line.run("audit", "export", "--output", file.toString())).isZero();
        assertThat(line.run("audit", "export", "--output", file.toString())).isZero();

        assertThat(node.requests()).hasSize(1);
        assertThat(line.noted()).contains("is whole already, up to position 20");
        assertThat(line.run("audit", "verify", file.toString(), "--key", log.verifier()))
                .isZero();
    }

    @Test
    void aFileThatIsNoExportOrHasOtherConditionsIsLeftAlone() throws IOException {
        Files.writeString(file, "{\"a\":1}\n");
        assertThat(line.run("audit", "export", "--output", file.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(Files.readString(file)).isEqualTo("{\"a\":1}\n");

        String narrowed = export(0, 20).replace("\"filter\":{}", "\"filter\":{\"tenant\":[\"a\"]}");
        Files.writeString(file, narrowed.substring(0, narrowed.indexOf("\"position\":7,")));
        node.on(CALL, answer(200, NDJSON, export(7, 20)));
        assertThat(line.run("audit", "export", "--output", file.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(line.noted()).contains("is an export with other conditions");
        assertThat(line.run("audit", "export", "--from", "3", "--output", file.toString()))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void conditionsAndTheRangeReachTheNode() {
        node.on(CALL, answer(200, NDJSON, export(3, 5)));

        assertThat(line.run("audit", "export", "--from", "3", "--to", "5", "--tenant", "a", "--type", "RunKilled"))
                .isZero();

        assertThat(node.requests(CALL).get(0).line()).endsWith("?tenant=a&type=RunKilled&to=5&from=3");
        assertThat(line.printed()).isEqualTo(export(3, 5));
    }

    @Test
    void allEventsOfANodeAreVerified() {
        node.on(CALL, answer(200, NDJSON, export(0, 20)));

        assertThat(line.run("audit", "verify", "--all", "--key", log.verifier()))
                .isZero();

        assertThat(line.printed()).startsWith("PROVEN\n20 events");
    }

    @Test
    void whatANodeHasChangedIsNamed() {
        node.on(CALL, answer(200, NDJSON, export(0, 20).replace("rich 7", "rich 8")));

        assertThat(line.run("audit", "verify", "--all", "--key", log.verifier()))
                .isEqualTo(ExitCode.UNEXPECTED);

        assertThat(line.printed()).startsWith("NOT PROVEN\nPosition 7 (event 4 of run ");
    }
}
