package dev.vivarium.node.cli;

import static dev.vivarium.client.SampleRuns.ID;
import static dev.vivarium.client.SampleRuns.chunk;
import static dev.vivarium.client.SampleRuns.event;
import static dev.vivarium.client.SampleRuns.running;
import static dev.vivarium.client.SampleRuns.sent;
import static dev.vivarium.client.SampleRuns.succeeded;
import static dev.vivarium.client.ScriptedNode.answer;
import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.SampleRuns;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.Version;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VivariumTest {
    private static final String RUN = "GET /v1/runs/" + ID;

    private final CommandLineFixture line = new CommandLineFixture();
    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        line.against(node);
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "up",
                "doctor",
                "run",
                "ps",
                "show",
                "logs",
                "events",
                "audit",
                "renew",
                "cancel",
                "secret",
                "token",
                "tenant",
                "webhooks",
                "version",
                "completion"
            })
    void everyCommandHasHelp(String command) {
        assertThat(line.run(command, "--help")).isZero();
        assertThat(line.printed()).contains("Usage: vivarium " + command);
        assertThat(line.printed()).doesNotContain("\u001b");
    }

    @ParameterizedTest
    @ValueSource(strings = {"quickstart", "abuse", "bench", "setup", "test"})
    void commandsOfTheLauncherAreNamedAsSuch(String command) {
        assertThat(line.run(command, "--some", "word")).isEqualTo(2);
        assertThat(line.noted())
                .isEqualTo(
                        "vivarium: `vivarium " + command + "` is a command of the launcher, the script ./vivarium.\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"up", "doctor", "run", "ps", "show", "logs", "events", "audit", "renew", "cancel"})
    void everyCommandThatMayFailListsExitCodesAndAnExample(String command) {
        line.run(command, "--help");

        assertThat(line.printed()).contains("Exit codes").contains("Example").contains("vivarium " + command + " ");
    }

    @Test
    void everyCommandPrintsTheVersion() {
        assertThat(line.run("run", "--version")).isZero();

        assertThat(line.printed()).isEqualTo("vivarium " + Version.number() + "\n");
    }

    @Test
    void aRenewalSaysWhatIsInForceAndARefusalWhy() {
        String renewed = running().replaceFirst("\\{", "{\"wallClock\":\"30m\",");
        node.on(
                "POST /v1/runs/" + ID + "/deadline",
                json(200, renewed),
                json(
                        409,
                        "{\"type\":\"https://vivarium.dev/problems/deadline-stays\",\"title\":\"The deadline was not moved\","
                                + "\"status\":409,\"detail\":\"It came too late.\"}"));

        assertThat(line.run("renew", ID, "30m")).isZero();
        assertThat(line.run("renew", ID, "1h")).isEqualTo(ExitCode.REFUSED);
        assertThat(line.run("renew", ID)).isEqualTo(ExitCode.USAGE);

        assertThat(node.requests().get(0).body()).isEqualTo("{\"wallClock\":\"30m\"}");
        assertThat(line.printed()).startsWith("run " + ID + " has a wall clock of 30m, until ");
        assertThat(line.noted()).contains("It came too late.");
    }

    @Test
    void typosGetASuggestion() {
        assertThat(line.run("cancle", "x")).isEqualTo(2);
        assertThat(line.run("run", "--memroy=1Mi", "--", "true")).isEqualTo(2);
        assertThat(line.run("show", ID, "x")).isEqualTo(2);
        assertThat(line.run("frobnicate")).isEqualTo(2);

        assertThat(line.noted())
                .isEqualTo(
                        """
                        vivarium: there is no command 'cancle'.
                        vivarium: did you mean cancel?
                        vivarium: see `vivarium --help`.
                        vivarium: there is no option --memroy=1Mi.
                        vivarium: did you mean --memory?
                        vivarium: see `vivarium run --help`.
                        vivarium: 'x' is one word too many.
                        vivarium: see `vivarium show --help`.
                        vivarium: there is no command 'frobnicate'.
                        vivarium: see `vivarium --help`.
                        """);
    }

    @Test
    void runsAreListedSinceAnInstantOrWithinATime() {
        node.on("GET /v1/runs", json(200, "{\"runs\":[],\"next\":null}"));

        assertThat(line.run("ps", "--since", "2026-01-01T00:00:00Z")).isZero();
        assertThat(line.run("ps", "--since", "5m", "--status", "killed")).isZero();
        assertThat(line.run("ps", "--since", "yesterday")).isEqualTo(2);

        assertThat(node.requests().get(0).line()).contains("since=2026-01-01T00%3A00%3A00Z");
        assertThat(node.requests().get(1).line()).contains("status=KILLED").contains("since=2026-01-01T00%3A05%3A00Z");
        assertThat(line.noted())
                .contains("there are no such runs.")
                .contains("--since yesterday: it must be an instant");
    }

    @Test
    void anOffsetBeforeTheFirstByteIsRefused() {
        assertThat(line.run("logs", "--from=-1", ID)).isEqualTo(2);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void aFullDiskIsReportedAndAClosedPipeIsNot() {
        node.on(RUN, json(200, running()));

        line.outFailure = Optional.of("Broken pipe");
        assertThat(line.run("show", ID)).isEqualTo(74);
        assertThat(line.noted()).isEmpty();

        line.outFailure = Optional.of("No space left on device");
        assertThat(line.run("show", ID)).isEqualTo(74);
        assertThat(line.noted()).contains("the output cannot be written: No space left on device.");
    }

    @Test
    void withoutACommandItListsThem() {
        assertThat(line.run()).isZero();
        assertThat(line.printed()).contains("quickstart").contains("cancel").contains("Exit codes");
    }

    @Test
    void theCompletionKnowsTheCommands() {
        assertThat(line.run("completion")).isZero();
        assertThat(line.printed()).contains("complete ").contains("quickstart");
    }

    @Test
    void invalidArgumentsAreAUsageError() {
        assertThat(line.run("ran")).isEqualTo(2);
        assertThat(line.noted()).contains("ran").contains("--help");
        assertThat(line.run("show")).isEqualTo(2);
        assertThat(line.run("show", "../../etc")).isEqualTo(2);
        assertThat(line.run("ps", "--server", "ftp://x")).isEqualTo(2);
        assertThat(line.run("up", "--port", "70000")).isEqualTo(2);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void theVersionIsPrintedForPeopleAndMachines() {
        assertThat(line.run("version")).isZero();
        assertThat(line.run("version", "-o", "json")).isZero();
        assertThat(line.printed()).startsWith("vivarium ").contains("\"version\"");
    }

    @Test
    void psListsRuns() {
        node.on("GET /v1/runs", json(200, "{\"runs\":[" + running() + "," + succeeded() + "],\"next\":\"c2\"}"));

        assertThat(line.run("ps", "--label", "team=research", "--status", "RUNNING,SUCCEEDED", "-n", "2"))
                .isZero();

        assertThat(node.requests().get(0).line())
                .endsWith("/v1/runs?status=RUNNING&status=SUCCEEDED&label=team%3Dresearch&limit=2");
        assertThat(line.printed().lines().toList().get(0)).startsWith("ID").endsWith("LABELS");
        assertThat(line.printed()).contains(ID + "  RUNNING").contains("exit 0").contains("team=research");
        assertThat(line.noted()).contains("--cursor c2");
    }

    @Test
    void jsonIsTheNodesAnswer() {
        node.on(RUN, json(200, running()));

        assertThat(line.run("show", "-o", "json", ID.toUpperCase(java.util.Locale.ROOT)))
                .isZero();

        assertThat(line.printed()).contains("\"somethingNewer\" : true");
    }

    @Test
    void showDescribesARun() {
        node.on(
                RUN,
                json(
                        200,
                        SampleRuns.killed(
                                "MEMORY", "{\"measured\":104857600,\"limit\":104857600,\"unit\":\"BYTES\"}")));

        assertThat(line.run("show", ID)).isZero();

        assertThat(line.printed())
                .contains("KILLED")
                .contains("MEMORY 100 MiB (limit 100 MiB)")
                .contains("wallClock 5.003 s, grace 0 ms, cpuTime 4.99 s, memory 12.3 MiB")
                .contains("a.py (17 B)");
    }

    @Test
    void aMissingRunIsReported() {
        node.on(
                RUN,
                json(
                        404,
                        "{\"type\":\"urn:x\",\"title\":\"No such run\",\"status\":404,\"detail\":\"There is no"
                                + " run.\"}"));

        assertThat(line.run("show", ID)).isEqualTo(66);
        assertThat(line.noted()).isEqualTo("vivarium: There is no run.\n");
    }

    @Test
    void anUnreachableNodeIsReportedInOneSentence() {
        node.close();

        assertThat(line.run("ps")).isEqualTo(69);
        assertThat(line.noted().lines()).hasSize(1);
        assertThat(line.noted()).contains("No node answers at " + node.uri());
    }

    @Test
    void logsPassBytesIntoPipes() {
        node.on(
                RUN + "/output",
                answer(
                        200,
                        "application/x-ndjson",
                        chunk("stdout", 0, "\u001b[2Ja\u0000") + chunk("stderr", 6, "oops")));

        assertThat(line.run("logs", ID)).isZero();

        assertThat(line.printed()).isEqualTo("\u001b[2Ja\u0000");
        assertThat(line.noted()).isEqualTo("oops");
    }

    @Test
    void logsCannotControlATerminal() {
        line.kind = Terminal.Kind.TERMINAL;
        node.on(RUN + "/output", answer(200, "application/x-ndjson", chunk("stdout", 0, "\u001b[2Ja")));

        assertThat(line.run("logs", ID)).isZero();
        assertThat(line.printed()).isEqualTo("^[[2Ja");
        line.out.reset();
        assertThat(line.run("logs", "--raw", ID)).isZero();
        assertThat(line.printed()).isEqualTo("\u001b[2Ja");
    }

    @Test
    void logsAreChunksOfJsonForMachines() {
        node.on(RUN + "/output", answer(200, "application/x-ndjson", chunk("stdout", 0, "a")));

        assertThat(line.run("logs", "-o", "json", "--stream", "stdout", "--from", "0", ID))
                .isZero();

        assertThat(line.printed()).startsWith("{\"stream\":\"stdout\",").contains("\"data\":\"YQ==\"");
        assertThat(node.requests().get(0).line()).contains("stream=stdout&");
    }

    @Test
    void eventsAreLines() {
        node.on(
                RUN + "/events",
                json(
                        200,
                        "{\"events\":["
                                + event(1, "RunKilled", "{\"type\":\"RunKilled\",\"reason\":\"PIDS\",\"x\":\"a\\nb\"}")
                                + "]}"));

        assertThat(line.run("events", ID)).isZero();

        assertThat(line.printed())
                .isEqualTo("  1  2026-01-01T00:00:01Z      RunKilled           reason=PIDS x=a\\nb\n");
    }

    @Test
    void measurementsAreReadableAndUnknownUnitsAreShownAsJson() {
        node.on(
                RUN + "/events",
                json(
                        200,
                        "{\"events\":["
                                + event(1, "AlarmRaised", alarm("BYTES_PER_SECOND"))
                                + ","
                                + event(2, "AlarmRaised", alarm("LIGHT_YEARS"))
                                + "]}"));

        assertThat(line.run("events", ID)).isZero();

        assertThat(line.printed())
                .isEqualTo(
                        """
                          1  2026-01-01T00:00:01Z      AlarmRaised         measurement=3 MiB/s (limit 1 MiB/s)
                          2  2026-01-01T00:00:02Z      AlarmRaised         measurement={"measured":3145728,"limit":1048576,"unit":"LIGHT_YEARS"}
                        """);
    }

    private static String alarm(String unit) {
        return "{\"measurement\":{\"measured\":3145728,\"limit\":1048576,\"unit\":\"" + unit + "\"}}";
    }

    @Test
    void eventsAreFollowed() {
        node.on(RUN, json(200, succeeded()))
                .on(
                        RUN + "/events",
                        answer(200, "text/event-stream", sent(1, "RunSubmitted") + sent(2, "RunSucceeded")));

        assertThat(line.run("events", "-f", "-o", "json", ID)).isZero();

        assertThat(line.printed().lines()).hasSize(2).allMatch(event -> event.startsWith("{\"run\":"));
    }

    @Test
    void cancelAsks() {
        node.on("POST /v1/runs/" + ID + "/cancel", json(202, running()));

        assertThat(line.run("cancel", ID)).isZero();

        assertThat(line.printed()).isEqualTo("run " + ID + " is asked to stop\n");
    }
}
