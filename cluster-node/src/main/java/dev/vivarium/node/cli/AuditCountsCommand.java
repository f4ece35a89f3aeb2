package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
import java.time.Instant;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium audit counts}. */
@Command(
        name = "counts",
        description = {
            "Adds up over all runs: KILLS (by hour and reason), RUNS, ENDS, CPU_MILLIS,",
            "EGRESS_BYTES and DENIALS (each by day)."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class AuditCountsCommand implements Callable<Integer> {
    private static final int BAR_COLUMNS_MAX = 40;

    private final Surroundings surroundings;

    @Parameters(paramLabel = "MEASURE", description = "What is counted.")
    private String measure = "";

    @Option(names = "--tenant", paramLabel = "NAME", description = "Only this tenant's.")
    private @Nullable String tenant;

    @Option(
            names = "--since",
            paramLabel = "WHEN",
            description = "Since an instant, or within a time, as 48h (default: seven days).")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "WHEN", description = "Before an instant, or longer ago than a time.")
    private @Nullable String until;

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditCountsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        JsonNode counts = server.client(surroundings).auditCounts(query());
        Terminal terminal = surroundings.terminal();
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(counts));
            return ExitCode.OK;
        }
        terminal.print(table(counts.path("counts")).render(terminal.colours()));
        if (counts.path("counts").isEmpty()) {
            terminal.note("there is nothing to count.");
        }
        return ExitCode.OK;
    }

    private List<Map.Entry<String, String>> query() {
        Instant now = surroundings.clock().instant();
        List<Map.Entry<String, String>> query = new ArrayList<>();
        query.add(new SimpleImmutableEntry<>(
                "measure", measure.toUpperCase(Locale.ROOT).replace('-', '_')));
        if (tenant != null) {
            query.add(new SimpleImmutableEntry<>("tenant", tenant));
        }
        if (since != null) {
            query.add(new SimpleImmutableEntry<>(
                    "since", When.of("--since", since, now).toString()));
        }
        if (until != null) {
            query.add(new SimpleImmutableEntry<>(
                    "until", When.of("--until", until, now).toString()));
        }
        return query;
    }

    /** The totals, each with a bar against the largest. */
    static Table table(JsonNode counts) {
        long most = 1;
        for (JsonNode count : counts) {
            most = Math.max(most, count.path("total").asLong());
        }
        Table table = new Table("PERIOD", "TENANT", "KEY", "TOTAL", "");
        for (JsonNode count : counts) {
            long total = count.path("total").asLong();
            table.row(
                    count.path("period").asText(),
                    count.path("tenant").asText(),
                    count.path("key").asText(),
                    Long.toString(total),
                    "█".repeat((int) Math.max(1, Math.round((double) total * BAR_COLUMNS_MAX / most))));
        }
        return table;
    }
}
