package dev.vivarium.node.cli;

import dev.vivarium.client.ApiException;
import dev.vivarium.terminal.ExitCode;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vivarium audit proof}. */
@Command(
        name = "proof",
        description = {
            "Prints what proves a run's history to somebody who trusts neither this node nor its store:",
            "its events, their places in the log of all events, and the log's signed checkpoint."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  vivarium audit proof ID > run.proof"})
final class AuditProofCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", description = "The run.")
    private String id = "";

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditProofCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        String proof = server.client(surroundings).proof(ServerOption.runId(id));
        surroundings.terminal().print(proof);
        return ExitCode.OK;
    }
}
