package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.api.SpecView;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.SandboxStart;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.WebhookEvent;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.Ending;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.ShellWords;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vivarium show}. */
@Command(
        name = "show",
        description = "Shows one run: where it stands, what it used, what it was asked to be.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Examples:", "  vivarium show ID", "  vivarium show -o json ID"})
final class ShowCommand implements Callable<Integer> {
    private static final double MICROS_PER_MILLI = 1000;

    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", description = "The run.")
    private String id = "";

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    ShowCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        JsonNode run = client.run(ServerOption.runId(id));
        Terminal terminal = surroundings.terminal();
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(run));
        } else {
            terminal.print(table(client.view(run)).render(terminal.colours()));
        }
        return ExitCode.OK;
    }

    static Table table(RunView run) {
        Table table = new Table("RUN", run.id().value());
        table.row(List.of(Table.Cell.of("status"), new Table.Cell(run.status().name(), Table.Style.of(run.status()))));
        add(table, "cause", Ending.cause(run));
        run.failure().ifPresent(failure -> table.row("failure", failure.message()));
        add(
                table,
                "attempt",
                run.attempt() == 0 ? "" : run.attempt() + " of " + run.spec().maxAttempts());
        run.node().ifPresent(node -> table.row("node", node));
        run.queue().ifPresent(queue -> table.row("queue", queue.position() + " of " + queue.waiting()));
        table.row("submitted", run.submittedAt().toString());
        run.startedAt().ifPresent(at -> table.row("started", at.toString()));
        run.start().ifPresent(start -> table.row("start", started(start)));
        run.wallClock()
                .ifPresent(limit -> table.row(
                        "wall clock",
                        limit + " (submitted with " + run.spec().limits().get(Limit.WALL_CLOCK) + ")"));
        run.cancelRequestedAt().ifPresent(at -> table.row("cancel asked", at.toString()));
        run.finishedAt().ifPresent(at -> table.row("finished", at.toString()));
        run.usage().ifPresent(usage -> table.row("used", used(usage)));
        describe(table, run.spec());
        return table;
    }

    private static String started(SandboxStart start) {
        return String.format(
                Locale.ROOT,
                "%s: sandbox %.1f ms, files %.1f ms, process %.1f ms",
                start.birth().name().toLowerCase(Locale.ROOT),
                start.sandboxMicros() / MICROS_PER_MILLI,
                start.preparationMicros() / MICROS_PER_MILLI,
                start.processMicros() / MICROS_PER_MILLI);
    }

    private static void describe(Table table, SpecView spec) {
        table.row("image", spec.image());
        table.row("command", ShellWords.of(spec.command()));
        table.row("workdir", spec.workdir());
        table.row("limits", limits(spec.limits()));
        spec.warning()
                .ifPresent(warning -> table.row("warning", warning.signal() + " " + warning.before() + " before"));
        spec.webhook()
                .ifPresent(webhook -> table.row(
                        "webhook",
                        webhook.url() + " for "
                                + webhook.events().stream()
                                        .map(WebhookEvent::toString)
                                        .collect(Collectors.joining(", "))));
        table.row("egress", ApiJson.tree(spec.egress().mode()).asText());
        table.row("isolation", ApiJson.tree(spec.isolation()).asText());
        table.row("on node loss", ApiJson.tree(spec.onNodeLoss()).asText());
        add(table, "env", pairs(spec.env().entrySet()));
        add(table, "secrets", String.join(", ", spec.secrets()));
        add(
                table,
                "named secrets",
                spec.namedSecrets().entrySet().stream()
                        .map(secret -> secret.getKey() + "=" + secret.getValue())
                        .collect(Collectors.joining(", ")));
        add(
                table,
                "files",
                spec.files().entrySet().stream()
                        .map(file -> file.getKey() + " ("
                                + Amounts.size(file.getValue().size()) + ")")
                        .collect(Collectors.joining(", ")));
        add(table, "labels", pairs(spec.labels().entrySet()));
    }

    private static void add(Table table, String name, String value) {
        if (!value.isEmpty()) {
            table.row(name, value);
        }
    }

    private static String pairs(java.util.Set<java.util.Map.Entry<String, String>> entries) {
        return entries.stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .sorted()
                .collect(Collectors.joining(" "));
    }

    /** In the same units as the limits below. */
    private static String used(Usage usage) {
        return Limit.ALL.stream()
                .filter(limit -> limit.usage().isPresent())
                .map(limit -> limit + " " + Amounts.used(usage, limit))
                .collect(Collectors.joining(", "));
    }

    private static String limits(Limits limits) {
        return limits.byName().entrySet().stream()
                .map(limit -> limit.getKey() + " " + limit.getValue())
                .collect(Collectors.joining(", "));
    }
}
