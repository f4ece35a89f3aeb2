package dev.vivarium.node.cli;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.ArtifactList;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium artifacts}. */
@Command(
        name = "artifacts",
        description = "Lists the files that were kept of a run, or fetches them.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Nothing is written outside of DIR, or through a link in it; a file of the same name is replaced.",
            "",
            "Examples:",
            "  vivarium artifacts ID",
            "  vivarium artifacts ID -o results"
        })
final class ArtifactsCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", description = "The run.")
    private String id = "";

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "Fetch all of them into this folder, which is made if it is not there.")
    private @Nullable Path directory;

    @Option(names = "--json", description = "Print the list as the node gives it.")
    private boolean json;

    @Mixin
    private final ServerOption server = new ServerOption();

    ArtifactsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, IOException {
        ApiClient client = server.client(surroundings);
        String run = ServerOption.runId(id);
        ArtifactList kept = client.artifacts(run);
        if (directory != null) {
            fetch(client, run, kept, new FetchedFiles(directory));
        } else if (json) {
            surroundings.terminal().say(ApiJson.pretty(ApiJson.tree(kept)));
            return ExitCode.OK;
        } else {
            list(kept);
        }
        noteWhatIsMissing(kept);
        return ExitCode.OK;
    }

    private void fetch(ApiClient client, String run, ArtifactList kept, FetchedFiles files)
            throws ApiException, IOException {
        for (Artifact artifact : kept.artifacts()) {
            try (InputStream content = client.artifact(run, artifact.path())) {
                files.write(artifact, content);
            }
            surroundings.terminal().say(Printable.of(artifact.path()));
        }
    }

    private void list(ArtifactList kept) {
        Terminal terminal = surroundings.terminal();
        Table table = new Table("PATH", "MODE", "SIZE", "SHA-256");
        for (Artifact artifact : kept.artifacts()) {
            table.row(
                    Printable.of(artifact.path()),
                    artifact.mode().toString(),
                    new ByteSize(artifact.size()).toString(),
                    artifact.digest().toString());
        }
        terminal.print(table.render(terminal.colours()));
    }

    private void noteWhatIsMissing(ArtifactList kept) {
        for (LeftOut left : kept.examples()) {
            surroundings.terminal().note("left out: " + Printable.of(left.path()) + " (" + words(left.why()) + ")");
        }
        if (kept.leftOut() > kept.examples().size()) {
            surroundings
                    .terminal()
                    .note("left out: " + (kept.leftOut() - kept.examples().size()) + " more");
        }
    }

    private static String words(LeftOut.Cause why) {
        return switch (why) {
            case MISSING -> "there was nothing of this path";
            case LINK -> "a symbolic link";
            case NO_FILE -> "a pipe, a socket or a device";
            case UNREADABLE -> "the agent's user may not read it";
            case NAME_NOT_UTF8 -> "its name is not UTF-8";
            case CHANGED -> "it changed while it was read";
            case TOO_LARGE -> "beyond limits.artifacts";
            case TOO_MANY -> "beyond " + Artifact.FILES_MAX + " files, or their paths too long together";
            case NOT_LOOKED_AT -> "the sandbox held more names than are looked at, from here on";
            case OUT_OF_TIME -> "the time for keeping files was over";
            case SANDBOX_GONE -> "the sandbox was gone before";
            case NOT_STORED -> "the store did not take it";
        };
    }
}
