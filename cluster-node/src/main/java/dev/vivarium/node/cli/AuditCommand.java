package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.AuditFollower;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium audit}. */
@Command(
        name = "audit",
        description = "Lists events of all runs; `audit timeline ID` tells one run's story, `audit counts` adds up.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  vivarium audit --type RunKilled --reason MEMORY --since 24h",
            "  vivarium audit --tenant research --oldest -o json",
            "  vivarium audit --follow --type RunKilled",
            "  vivarium audit timeline ID",
            "  vivarium audit counts KILLS --since 7d"
        })
final class AuditCommand implements Callable<Integer> {
    private static final int DETAIL_COLUMNS_MAX = 60;

    private final Surroundings surroundings;

    @Mixin
    private final AuditConditions conditions = new AuditConditions();

    @Option(names = "--oldest", description = "The oldest first.")
    private boolean oldest;

    @Option(
            names = {"-n", "--limit"},
            paramLabel = "COUNT",
            defaultValue = "50",
            description = "How many at most (default: ${DEFAULT-VALUE}).")
    private int limit;

    @Option(
            names = "--cursor",
            paramLabel = "CURSOR",
            description = "The page that follows, as the page before named it.")
    private @Nullable String cursor;

    @Option(names = "--follow", description = "Goes on with each event that comes, until Ctrl-C.")
    private boolean follow;

    @Option(
            names = "--from",
            paramLabel = "POSITION",
            description = "With --follow: from this position on (default: the next event).")
    private @Nullable Long from;

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        if (follow) {
            follow(client);
            return ExitCode.OK;
        }
        if (from != null) {
            throw new UserError(ExitCode.USAGE, "--from is for --follow; a page begins with --cursor.");
        }
        JsonNode page = client.auditEvents(query());
        Terminal terminal = surroundings.terminal();
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(page));
            return ExitCode.OK;
        }
        terminal.print(table(page).render(terminal.colours()));
        if (page.path("events").isEmpty()) {
            terminal.note("there are no such events.");
        }
        String next = page.path("next").asText();
        switch (page.path("end").asText()) {
            case "FULL" -> terminal.note("there are more: --cursor " + Printable.of(next));
            case "BUDGET" -> terminal.note(
                    "the node looked as long as it may; there may be more: --cursor " + Printable.of(next));
            default -> {}
        }
        long lagMillis = page.path("head").path("lagMillis").asLong();
        if (lagMillis > 2_000) {
            terminal.note("events of the last " + lagMillis / 1_000 + " seconds may be missing.");
        }
        return ExitCode.OK;
    }

    private void follow(ApiClient client) throws ApiException, InterruptedIOException {
        if (oldest || cursor != null) {
            throw new UserError(ExitCode.USAGE, "--follow takes events as they come: without --oldest and --cursor.");
        }
        List<Map.Entry<String, String>> query = new ArrayList<>(conditions.query(surroundings.clock()));
        if (from != null) {
            query.add(AuditConditions.parameter("from", Long.toString(from)));
        }
        Terminal terminal = surroundings.terminal();
        new AuditFollower(client, query, event -> terminal.say(format.isJson() ? ApiJson.line(event) : line(event)))
                .follow();
    }

    /** An event that comes alone: no column knows how wide the next one will be. */
    private static String line(JsonNode event) {
        return Printable.of(String.join(
                "  ",
                event.path("position").asText(),
                event.path("at").asText(),
                event.path("run").asText(),
                event.path("tenant").asText(),
                event.path("event").isObject()
                        ? Timeline.sentence(event.path("event"))
                        : event.path("type").asText()));
    }

    private List<Map.Entry<String, String>> query() {
        List<Map.Entry<String, String>> query = new ArrayList<>(conditions.query(surroundings.clock()));
        query.add(AuditConditions.parameter("order", oldest ? "oldest" : "newest"));
        if (cursor != null) {
            query.add(AuditConditions.parameter("cursor", cursor));
        }
        query.add(AuditConditions.parameter("limit", Integer.toString(limit)));
        return query;
    }

    static Table table(JsonNode page) {
        Table table = new Table("POSITION", "TIME", "TYPE", "RUN", "TENANT", "NODE", "BY", "WHAT");
        page.path("events")
                .forEach(event -> table.row(
                        event.path("position").asText(),
                        event.path("at").asText(),
                        event.path("type").asText(),
                        event.path("run").asText(),
                        event.path("tenant").asText(),
                        event.path("node").asText(),
                        event.path("by").asText(""),
                        event.path("event").isObject()
                                ? Table.cut(Timeline.sentence(event.path("event")), DETAIL_COLUMNS_MAX)
                                : ""));
        return table;
    }
}
