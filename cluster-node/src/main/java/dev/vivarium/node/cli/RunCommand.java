package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.LocalServer;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.client.SubmissionFollower;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.terminal.Ending;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code vivarium run}. */
@Command(
        name = "run",
        description = {
            "Runs a command in a fresh sandbox, prints what it prints, and exits with its exit code.",
            "Ctrl-C cancels the run and waits for its end; a second one leaves it alone.",
            "The words after -- go to the sandbox as they are, without a shell. Its stdin is empty.",
            "",
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
final class RunCommand implements Callable<Integer> {
    private static final int COLUMNS = 3;

    private static final List<String> FOOTER = List.of(
            "  130 cancelled by Ctrl-C",
            "  125 not started   126 the command is not executable    127 there is no such command",
            "The reason and what was measured are on stderr.",
            "",
            "Exit codes without a run, or without its end:",
            "  2 wrong usage     65 refused by the node    66 no such file    69 no node answers",
            "  74 the output is not read any more (the run is cancelled)      75 try again later",
            "",
            "Examples:",
            "  vivarium run -- python3 -c 'print(6 * 7)'",
            "  vivarium run --memory 64Mi --wall-clock 5s --file agent.py -- python3 agent.py",
            "  vivarium run --secret OPENAI_API_KEY --secret DB=@db.key --label team=research -- ./agent",
            "  ID=$(vivarium run -d -- sleep 60); vivarium logs -f $ID");

    private final Surroundings surroundings;

    @Mixin
    private final SubmissionOptions submission = new SubmissionOptions();

    @Option(
            names = "--idempotency-key",
            paramLabel = "KEY",
            description = "Two submissions with one key are one run (default: a new key, kept for this command's own"
                    + " retries).")
    private @Nullable String idempotencyKey;

    @Option(
            names = {"-d", "--detach"},
            description = "Print the run's id once it is accepted, and leave it alone.")
    private boolean detach;

    @Option(
            names = "--raw",
            description = "Send the bytes as they are to a terminal, too. The agent can then steer it.")
    private boolean raw;

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    @Spec
    void describe(CommandSpec spec) {
        List<String> footer = new ArrayList<>();
        footer.add("");
        footer.add("Exit codes, when the agent did not end by itself:");
        footer.addAll(killCodes());
        footer.addAll(FOOTER);
        spec.usageMessage().footer(footer.toArray(String[]::new));
    }

    /** The exit codes of all reasons, in three columns. */
    private static List<String> killCodes() {
        List<String> cells = Arrays.stream(KillReason.values())
                .sorted(Comparator.comparing(KillReason::exitCode))
                .map(reason -> "  %d %-19s".formatted(reason.exitCode(), reason))
                .toList();
        return IntStream.iterate(0, at -> at < cells.size(), at -> at + COLUMNS)
                .mapToObj(at -> String.join("", cells.subList(at, Math.min(at + COLUMNS, cells.size())))
                        .stripTrailing())
                .toList();
    }

    RunCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, IOException {
        ApiClient client = server.client(surroundings);
        SubmissionOptions.Prepared prepared =
                submission.prepare(surroundings.environment(), surroundings.secretPrompt());
        ObjectNode body = prepared.body();
        warnOfOpenSecrets(client.server(), body);
        Cancellation cancellation = new Cancellation(client, surroundings.terminal());
        if (!detach) {
            surroundings.interrupts().listen(cancellation::interrupted);
        }
        for (Map.Entry<Digest, Path> upload : prepared.uploads().entrySet()) {
            client.putBlob(upload.getKey(), upload.getValue(), prepared.tenant());
        }
        String key = idempotencyKey != null ? idempotencyKey : "cli-" + UUID.randomUUID();
        if (detach) {
            JsonNode accepted = client.submit(body, key);
            surroundings
                    .terminal()
                    .say(
                            format.isJson()
                                    ? ApiJson.pretty(accepted)
                                    : client.view(accepted).id().value());
            return ExitCode.OK;
        }
        try {
            return follow(client, body, key, cancellation);
        } catch (ApiException.NodeUnreachable lost) {
            cancellation.run().ifPresent(id -> surroundings
                    .terminal()
                    .note("run " + id + " was accepted, and how it ends is not known here; once the node is"
                            + " back, `vivarium logs -f " + id + "` follows it."));
            throw lost;
        }
    }

    private int follow(ApiClient client, ObjectNode body, String key, Cancellation cancellation)
            throws ApiException, IOException {
        RunOutput output = new RunOutput(surroundings.terminal(), LogsCommand.form(format, raw));
        JsonNode end;
        try {
            end = new SubmissionFollower(client, cancellation::accepted, output).read(body, key);
            output.end();
        } catch (OutputFollower.SinkClosed closed) {
            // Like a program in a pipeline, the run ends when its output is not read any more.
            client.cancel(cancellation.run().orElseThrow());
            return ExitCode.OUTPUT_CLOSED;
        }
        RunView ended = client.view(end);
        if (format.isJson()) {
            surroundings.terminal().say(ApiJson.line(end));
        }
        Optional<String> sentence = Ending.sentence(ended);
        sentence.ifPresent(surroundings.terminal()::note);
        return cancellation.exitCode(ended);
    }

    private void warnOfOpenSecrets(URI uri, ObjectNode body) {
        if (!body.has("secrets")
                || "https".equals(uri.getScheme())
                || LocalServer.socketOf(uri).isPresent()) {
            return;
        }
        try {
            if (InetAddress.getByName(uri.getHost()).isLoopbackAddress()) {
                return;
            }
        } catch (UnknownHostException unknown) {
            return; // The submission will say so.
        }
        surroundings.terminal().note("the secrets go unencrypted to " + uri.getHost() + "; use an https address.");
    }
}
