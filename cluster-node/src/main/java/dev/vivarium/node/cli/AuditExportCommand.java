package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.AuditExport;
import dev.vivarium.client.AuditExport.UnwelcomeLine;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium audit export}. */
@Command(
        name = "export",
        description = {
            "Writes events of all runs, one a line (NDJSON), by rising position; the last line is the log's signed",
            "checkpoint. A file that lacks it was cut off: the same command again goes on where the file ends."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "An export without conditions can be verified by everybody (`vivarium audit verify FILE`), one with",
            "conditions cannot, since it does not show what else happened.",
            "",
            "Examples:",
            "  vivarium audit export --output events.ndjson",
            "  vivarium audit export --from 1000 --to 2000",
            "  vivarium audit export --tenant research --since 24h --output research.ndjson"
        })
final class AuditExportCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Option(names = "--from", paramLabel = "POSITION", description = "From this position on (default: 0).")
    private @Nullable Long from;

    @Option(
            names = "--to",
            paramLabel = "POSITION",
            description = "Up to this position, without it (default: all that the log has).")
    private @Nullable Long to;

    @Mixin
    private final AuditConditions conditions = new AuditConditions();

    @Option(
            names = "--output",
            paramLabel = "FILE",
            description = "Writes to this file, or goes on with it (default: standard output).")
    private @Nullable Path output;

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditExportCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        if (output == null) {
            export(
                    Optional.ofNullable(from),
                    (line, json) -> surroundings.terminal().say(line));
            return ExitCode.OK;
        }
        try {
            toFile(output);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException failed) {
            throw new UserError(ExitCode.OUTPUT_CLOSED, output + " cannot be written: " + failed.getMessage());
        }
        return ExitCode.OK;
    }

    private void toFile(Path file) throws ApiException, IOException {
        Optional<ExportedFile> before = ExportedFile.of(file);
        if (before.filter(known -> from != null && known.from() != from).isPresent()) {
            throw new UserError(
                    ExitCode.USAGE,
                    file + " begins with position " + before.get().from() + ": leave --from out to go on with it.");
        }
        if (before.filter(known -> known.state() == ExportedFile.State.WHOLE).isPresent()) {
            surroundings
                    .terminal()
                    .note(file + " is whole already, up to position "
                            + before.get().next() + ".");
            return;
        }
        Optional<Long> start = before.map(ExportedFile::next).or(() -> Optional.ofNullable(from));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                OutputStream out = new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.APPEND))) {
            // A line that was cut off is written again.
            channel.truncate(before.map(ExportedFile::bytes).orElse(0L));
            export(start, (line, json) -> {
                requireSame(file, before, json);
                try {
                    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                } catch (IOException failed) {
                    throw new UnwelcomeLine(file + " cannot be written: " + failed.getMessage());
                }
            });
            out.flush();
            channel.force(true);
        }
    }

    private static void requireSame(Path file, Optional<ExportedFile> before, JsonNode line) throws UnwelcomeLine {
        if (line.path("line").asText().equals("begin")
                && before.filter(known -> !known.filter().equals(line.path("filter")))
                        .isPresent()) {
            throw new UnwelcomeLine(file + " is an export with other conditions ("
                    + before.get().filter() + "): name another file.");
        }
    }

    private void export(Optional<Long> start, AuditExport.Sink sink) throws ApiException, InterruptedIOException {
        List<Map.Entry<String, String>> query = new ArrayList<>(conditions.query(surroundings.clock()));
        if (to != null) {
            query.add(AuditConditions.parameter("to", Long.toString(to)));
        }
        try {
            new AuditExport(server.client(surroundings), query, start, sink).read();
        } catch (UnwelcomeLine unwelcome) {
            throw new UserError(ExitCode.USAGE, String.valueOf(unwelcome.getMessage()));
        }
    }
}
