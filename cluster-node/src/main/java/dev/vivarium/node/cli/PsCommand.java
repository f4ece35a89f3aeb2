package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.Ending;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.ShellWords;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium ps}. */
@Command(
        name = "ps",
        aliases = "list",
        description = "Lists runs, newest first.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  vivarium ps --status running,starting",
            "  vivarium ps --since 2h --label team=research -o json"
        })
final class PsCommand implements Callable<Integer> {
    private static final int COMMAND_COLUMNS_MAX = 40;

    private final Surroundings surroundings;

    @Option(
            names = "--status",
            paramLabel = "STATUS",
            split = ",",
            description = "Only runs that stand so: ${COMPLETION-CANDIDATES}.")
    private List<RunStatus> statuses = new ArrayList<>();

    @Option(names = "--tenant", paramLabel = "NAME", description = "Only this tenant's runs.")
    private @Nullable String tenant;

    @Option(names = "--label", paramLabel = "K=V", description = "Only runs with this label; may be repeated.")
    private List<String> labels = new ArrayList<>();

    @Option(
            names = "--since",
            paramLabel = "WHEN",
            description = "Only runs submitted since an instant, as 2026-01-31T12:00:00Z, or within a time, as 2h.")
    private @Nullable String since;

    @Option(
            names = {"-n", "--limit"},
            paramLabel = "COUNT",
            defaultValue = "20",
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

    PsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        JsonNode answer = client.runs(query());
        Terminal terminal = surroundings.terminal();
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(answer));
            return ExitCode.OK;
        }
        RunPage page = client.read(answer, RunPage.class);
        terminal.print(table(page, surroundings.clock().instant()).render(terminal.colours()));
        if (page.runs().isEmpty()) {
            terminal.note("there are no such runs.");
        }
        page.next().ifPresent(next -> terminal.note("there are more: --cursor " + Printable.of(next)));
        return ExitCode.OK;
    }

    private List<Map.Entry<String, String>> query() {
        List<Map.Entry<String, String>> query = new ArrayList<>();
        statuses.forEach(status -> query.add(new SimpleImmutableEntry<>("status", status.name())));
        labels.forEach(label -> query.add(new SimpleImmutableEntry<>("label", label)));
        if (tenant != null) {
            query.add(new SimpleImmutableEntry<>("tenant", tenant));
        }
        if (since != null) {
            query.add(new SimpleImmutableEntry<>(
                    "since",
                    When.of("--since", since, surroundings.clock().instant()).toString()));
        }
        if (cursor != null) {
            query.add(new SimpleImmutableEntry<>("cursor", cursor));
        }
        query.add(new SimpleImmutableEntry<>("limit", Integer.toString(limit)));
        return query;
    }

    static Table table(RunPage page, Instant now) {
        Table table = new Table("ID", "STATUS", "CAUSE", "AGE", "TOOK", "IMAGE", "COMMAND", "LABELS");
        page.runs()
                .forEach(run -> table.row(List.of(
                        Table.Cell.of(run.id().value()),
                        new Table.Cell(run.status().name(), Table.Style.of(run.status())),
                        Table.Cell.of(Ending.cause(run)),
                        Table.Cell.of(Amounts.age(Duration.between(run.submittedAt(), now))),
                        Table.Cell.of(took(run, now)),
                        Table.Cell.of(run.spec().image()),
                        Table.Cell.of(Table.cut(ShellWords.of(run.spec().command()), COMMAND_COLUMNS_MAX)),
                        Table.Cell.of(labels(run)))));
        return table;
    }

    private static String took(RunView run, Instant now) {
        return run.startedAt()
                .map(started ->
                        Amounts.time(Duration.between(started, run.finishedAt().orElse(now))))
                .orElse("");
    }

    private static String labels(RunView run) {
        return run.spec().labels().entrySet().stream()
                .map(label -> label.getKey() + "=" + label.getValue())
                .sorted()
                .collect(Collectors.joining(","));
    }
}
