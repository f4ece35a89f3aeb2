package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vivarium cancel}. */
@Command(
        name = "cancel",
        description = "Asks a run to stop. It gets SIGTERM, and SIGKILL after a grace. A run that has ended stays so.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  vivarium cancel ID && vivarium events -f ID"})
final class CancelCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", description = "The run.")
    private String id = "";

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    CancelCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        JsonNode answer = client.cancel(ServerOption.runId(id));
        if (format.isJson()) {
            surroundings.terminal().say(ApiJson.pretty(answer));
            return ExitCode.OK;
        }
        RunView run = client.view(answer);
        surroundings
                .terminal()
                .say(
                        run.status().isTerminal()
                                ? "run " + run.id() + " has ended: " + run.status()
                                : "run " + run.id() + " is asked to stop");
        return ExitCode.OK;
    }
}
