package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
import java.util.AbstractMap.SimpleImmutableEntry;
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
            "  vivarium audit timeline ID",
            "  vivarium audit counts KILLS --since 7d"
        })
final class AuditCommand implements Callable<Integer> {
    private static final int DETAIL_COLUMNS_MAX = 60;

    private final Surroundings surroundings;

    @Option(names = "--tenant", paramLabel = "NAME", description = "Only of runs of this tenant; may be repeated.")
    private List<String> tenants = new ArrayList<>();

    @Option(names = "--run", paramLabel = "ID", description = "Only of this run; may be repeated.")
    private List<String> runs = new ArrayList<>();

    @Option(names = "--label", paramLabel = "K=V", description = "Only of runs with this label; may be repeated.")
    private List<String> labels = new ArrayList<>();

    @Option(names = "--node", paramLabel = "NAME", description = "Only recorded by this node; may be repeated.")
    private List<String> nodes = new ArrayList<>();

    @Option(names = "--type", paramLabel = "TYPE", split = ",", description = "Only of this type, as RunKilled.")
    private List<String> types = new ArrayList<>();

    @Option(
            names = "--reason",
            paramLabel = "REASON",
            split = ",",
            description = "Only ends of runs that were killed for this reason, as MEMORY.")
    private List<String> reasons = new ArrayList<>();

    @Option(names = "--by", paramLabel = "PRINCIPAL", description = "Only caused by this principal; may be repeated.")
    private List<String> principals = new ArrayList<>();

    @Option(names = "--image", paramLabel = "IMAGE", description = "Only of runs of this image; may be repeated.")
    private List<String> images = new ArrayList<>();

    @Option(
            names = "--since",
            paramLabel = "WHEN",
            description = "Only since an instant, as 2026-01-31T12:00:00Z, or within a time, as 2h.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "WHEN", description = "Only before an instant, or longer ago than a time.")
    private @Nullable String until;

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

    private List<Map.Entry<String, String>> query() {
        List<Map.Entry<String, String>> query = new ArrayList<>();
        add(query, "tenant", tenants);
        add(query, "run", runs.stream().map(ServerOption::runId).toList());
        add(query, "label", labels);
        add(query, "node", nodes);
        add(query, "type", types);
        add(query, "reason", reasons);
        add(query, "by", principals);
        add(query, "image", images);
        if (since != null) {
            query.add(entry(
                    "since",
                    When.of("--since", since, surroundings.clock().instant()).toString()));
        }
        if (until != null) {
            query.add(entry(
                    "until",
                    When.of("--until", until, surroundings.clock().instant()).toString()));
        }
        query.add(entry("order", oldest ? "oldest" : "newest"));
        if (cursor != null) {
            query.add(entry("cursor", cursor));
        }
        query.add(entry("limit", Integer.toString(limit)));
        return query;
    }

    private static void add(List<Map.Entry<String, String>> query, String name, List<String> values) {
        values.forEach(value -> query.add(entry(name, value)));
    }

    private static Map.Entry<String, String> entry(String name, String value) {
        return new SimpleImmutableEntry<>(name, value);
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
