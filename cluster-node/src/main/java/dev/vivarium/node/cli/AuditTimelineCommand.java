package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiException;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Printable;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vivarium audit timeline}. */
@Command(
        name = "timeline",
        description = "Tells what a run was, what it did, what it reached and why it ended, with the times between.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class AuditTimelineCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", description = "The run.")
    private String id = "";

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditTimelineCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        List<JsonNode> events = new ArrayList<>();
        server.client(surroundings)
                .events(ServerOption.runId(id))
                .path("events")
                .forEach(events::add);
        Timeline.of(events).forEach(line -> surroundings.terminal().say(Printable.of(line)));
        return ExitCode.OK;
    }
}
