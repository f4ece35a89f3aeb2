package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium audit check}. */
@Command(
        name = "check",
        description = {
            "Says what the last check of the whole log of events has found, which one node of the cluster does each day",
            "(vivarium.audit.check): events that were changed, removed, inserted or moved, in the order or in the journal."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 nothing was found, or there was no check yet; 1 something was found; 2 wrong usage.",
            "",
            "Examples:",
            "  vivarium audit check",
            "  vivarium audit check --now"
        })
final class AuditCheckCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Option(names = "--now", description = "Begins a check, unless one is under way, and does not wait for its end.")
    private boolean now;

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditCheckCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        JsonNode check = now ? client.beginAuditCheck() : client.auditCheck();
        JsonNode last = check.path("last");
        Terminal terminal = surroundings.terminal();
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(check));
        } else {
            say(terminal, last, check.path("underWay"));
        }
        return last.path("findings").isEmpty() ? ExitCode.OK : ExitCode.UNEXPECTED;
    }

    private static void say(Terminal terminal, JsonNode last, JsonNode underWay) {
        if (last.isObject()) {
            String when = last.path("endedAt").isNull()
                    ? "under way since " + last.path("startedAt").asText()
                    : "ended at " + last.path("endedAt").asText();
            terminal.say(Printable.of("The last check, on " + last.path("node").asText() + ", " + when + ", of "
                    + last.path("events").asLong() + " events: "
                    + (last.path("findings").isEmpty()
                            ? "all of them are as they were written."
                            : "NOT as they were written.")));
            last.path("findings").forEach(finding -> terminal.say("  " + Printable.of(finding.asText())));
        } else {
            terminal.say("There was no check yet.");
        }
        if (underWay.isObject()) {
            terminal.note(Printable.of("a check is under way since "
                    + underWay.path("startedAt").asText() + " on "
                    + underWay.path("node").asText() + ", "
                    + underWay.path("looked").asLong() + " of "
                    + underWay.path("events").asLong() + " events."));
        }
    }
}
