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

/** {@code vivarium renew}. */
@Command(
        name = "renew",
        description = "Moves the deadline of a live run. TIME is the new wall clock, from the start of the attempt's"
                + " process, and not what is added to it; the same TIME again changes nothing. Once this has succeeded, the"
                + " run is not killed at its earlier deadline.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  vivarium renew ID 30m"})
final class RenewCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(index = "0", paramLabel = "ID", description = "The run.")
    private String id = "";

    @Parameters(index = "1", paramLabel = "TIME", description = "Its wall clock from now on, such as 30m.")
    private String wallClock = "";

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    RenewCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        JsonNode answer = client.renew(ServerOption.runId(id), wallClock);
        if (format.isJson()) {
            surroundings.terminal().say(ApiJson.pretty(answer));
            return ExitCode.OK;
        }
        RunView run = client.view(answer);
        String deadline = run.startedAt()
                .flatMap(start -> run.wallClock().map(limit -> start.plus(limit.duration())))
                .map(end -> ", until " + end)
                .orElse("");
        surroundings
                .terminal()
                .say("run " + run.id() + " has a wall clock of "
                        + run.wallClock().map(Object::toString).orElse(wallClock) + deadline);
        return ExitCode.OK;
    }
}
