package dev.vivarium.node.cli;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.terminal.ExitCode;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium delete}. */
@Command(
        name = "delete",
        description = {
            "Deletes what ended runs printed and the files that were kept of them, before their time is over.",
            "Without --output and --artifacts both. Their events stay, and with them the list of those files. Who had it"
                    + " deleted is in the audit. Repeating it changes nothing."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  vivarium delete --contents ID"})
final class DeleteCommand implements Callable<Integer> {
    private static final String NO_SUCH_BLOB = "/no-such-blob";
    private static final String BLOB_IN_USE = "/blob-in-use";

    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", arity = "1..*", description = "The runs.")
    private List<String> ids = new ArrayList<>();

    @Option(names = "--output", description = "What they printed.")
    private boolean output;

    @Option(names = "--artifacts", description = "The files that were kept of them.")
    private boolean artifacts;

    @Option(
            names = "--contents",
            description =
                    "Delete the contents of those files right away as well, not hours later. Contents that another run has stay.")
    private boolean contents;

    @Mixin
    private final ServerOption server = new ServerOption();

    DeleteCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        for (String id : ids) {
            delete(client, ServerOption.runId(id));
        }
        return ExitCode.OK;
    }

    private void delete(ApiClient client, String run) throws ApiException, InterruptedIOException {
        boolean isOfBoth = output == artifacts;
        if (isOfBoth || output) {
            client.deleteOutput(run);
        }
        if (isOfBoth || artifacts) {
            client.deleteArtifacts(run);
        }
        if (contents && (isOfBoth || artifacts)) {
            deleteContents(client, run);
        }
        surroundings.terminal().say("deleted the " + what(isOfBoth) + " of run " + run);
    }

    private String what(boolean isOfBoth) {
        if (isOfBoth) {
            return "output and artifacts";
        }
        return output ? "output" : "artifacts";
    }

    private void deleteContents(ApiClient client, String run) throws ApiException, InterruptedIOException {
        RunView view = client.view(client.run(run));
        Optional<String> tenant = Optional.ofNullable(view.spec().labels().get(RunSpec.TENANT_LABEL));
        Set<Digest> digests = client.artifacts(run).artifacts().stream()
                .filter(artifact -> artifact.size() > 0)
                .map(Artifact::digest)
                .collect(Collectors.toSet());
        for (Digest digest : digests) {
            try {
                client.deleteBlob(digest, tenant);
            } catch (ApiException.Refused refused) {
                if (!isLeft(refused)) {
                    throw refused;
                }
            }
        }
    }

    /** Whether there is nothing to do: the content is gone, or another run has it. */
    private static boolean isLeft(ApiException.Refused refused) {
        String type = refused.problem().type();
        return type.endsWith(NO_SUCH_BLOB) || type.endsWith(BLOB_IN_USE);
    }
}
