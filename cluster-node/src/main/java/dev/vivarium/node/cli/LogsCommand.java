package dev.vivarium.node.cli;

import dev.vivarium.client.ApiException;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium logs}. */
@Command(
        name = "logs",
        description = {
            "Prints what a run printed: its stdout to stdout, its stderr to stderr.",
            "Files and pipes get the bytes as they are. On a terminal, what could steer it is made visible; text, line"
                    + " ends, tabs and colours pass."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  vivarium logs -f ID",
            "  vivarium logs --stream stderr ID",
            "  vivarium logs -o json ID    one object a line: stream, process, offset, time, base64 data"
        })
final class LogsCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", description = "The run.")
    private String id = "";

    @Option(
            names = {"-f", "--follow"},
            description = "Go on until the run has ended.")
    private boolean follow;

    @Option(
            names = "--stream",
            paramLabel = "STREAM",
            split = ",",
            description = "stdout, stderr or both (the default).")
    private Set<String> streams = Set.of("stdout", "stderr");

    @Option(
            names = "--from",
            paramLabel = "OFFSET",
            defaultValue = "0",
            description = "The first byte wanted, counted over both streams (default: ${DEFAULT-VALUE}).")
    private long from;

    @Option(
            names = "--raw",
            description = "Send the bytes as they are to a terminal, too. The agent can then steer it.")
    private boolean raw;

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    LogsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, OutputFollower.SinkClosed, IOException {
        if (from < 0) {
            throw new UserError(ExitCode.USAGE, "--from " + from + ": an offset is 0 or more.");
        }
        RunOutput output = new RunOutput(surroundings.terminal(), form(format, raw));
        OutputFollower follower =
                new OutputFollower(server.client(surroundings), ServerOption.runId(id), wanted(), from, output);
        try {
            follower.read(follow ? OutputFollower.Mode.TO_THE_END : OutputFollower.Mode.SO_FAR);
        } finally {
            output.end();
        }
        return ExitCode.OK;
    }

    static RunOutput.Form form(FormatOption format, boolean raw) {
        if (format.isJson()) {
            return RunOutput.Form.JSON;
        }
        return raw ? RunOutput.Form.RAW_BYTES : RunOutput.Form.BYTES;
    }

    private Set<Stream> wanted() {
        Set<Stream> wanted = EnumSet.noneOf(Stream.class);
        for (String name : streams) {
            switch (name.toLowerCase(Locale.ROOT)) {
                case "stdout" -> wanted.add(Stream.STDOUT);
                case "stderr" -> wanted.add(Stream.STDERR);
                default -> throw new UserError(
                        ExitCode.USAGE, "'" + name + "' is not a stream: stdout and stderr are.");
            }
        }
        return wanted;
    }
}
