package dev.vivarium.trials;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.Ending;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.NodeAddress;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import dev.vivarium.trials.abuse.HostileImages;
import dev.vivarium.trials.abuse.Payload;
import dev.vivarium.trials.abuse.Payloads;
import dev.vivarium.trials.abuse.Trial;
import dev.vivarium.trials.agents.AgentRun;
import dev.vivarium.trials.agents.Board;
import dev.vivarium.trials.agents.Report;
import dev.vivarium.trials.agents.Stage;
import dev.vivarium.trials.outside.EngineSocket;
import dev.vivarium.trials.outside.Internet;
import dev.vivarium.trials.outside.Leftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium abuse}. */
@Command(
        name = "abuse",
        description = {
            "Runs hostile payloads of examples/abuse/, each in its own sandbox, beside a well-behaved neighbour.",
            "Exits with 0 only when each result is as expected, every neighbour finished, the node is healthy and"
                    + " nothing is left behind."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class AbuseCommand implements Callable<Integer> {
    private static final String IMAGE = "vivarium/python";
    /** Between two polls of the runs; looks continuous. */
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(100);

    private static final int AT_ONCE_MAX = 16;

    private final Surroundings surroundings;
    private final Terminal terminal;

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "The payloads to run (default: all).")
    private List<String> names = new ArrayList<>();

    @Option(names = "--list", description = "List the payloads, and run nothing.")
    private boolean list;

    @Option(
            names = "--isolation",
            paramLabel = "CLASS",
            description = "The isolation class to attack: container or gvisor (default: the node's own).")
    private @Nullable String isolation;

    @Option(
            names = "--at-once",
            paramLabel = "COUNT",
            defaultValue = "1",
            description = "Payloads at the same time (default: ${DEFAULT-VALUE}, so that a neighbour's slow-down is the"
                    + " doing of one).")
    private int atOnce = 1;

    @Mixin
    private final FormatOption format = new FormatOption();

    @Option(
            names = {"--url", "--server"},
            paramLabel = "URL",
            description = "A node that runs already, with its engine at DOCKER_HOST (default: start one).")
    private @Nullable String url;

    AbuseCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        this.terminal = surroundings.terminal();
    }

    /** The result of the suite. */
    private record Verdict(
            Report report, Trial trial, boolean healthy, boolean counted, boolean networked, List<String> trespasses) {
        boolean isAsExpected() {
            return report.isAsExpected() && trial.allNeighboursSucceeded() && healthy && trespasses.isEmpty();
        }
    }

    @Override
    public Integer call() throws ApiException, IOException {
        Payloads payloads = Payloads.of(surroundings.root().resolve("examples").resolve("abuse"));
        List<Payload> chosen = choose(payloads);
        if (list) {
            tellPayloads(chosen);
            return ExitCode.OK;
        }
        if (atOnce < 1 || atOnce > AT_ONCE_MAX) {
            throw new UserError(ExitCode.USAGE, "--at-once must be from 1 to " + AT_ONCE_MAX + ".");
        }
        Instant start = surroundings.clock().instant();
        Stage stage =
                new Stage(payloads.folder(), IMAGE, Optional.ofNullable(isolation), TrialNode.newSecret(), Map.of());
        Verdict verdict;
        if (url != null) {
            verdict = onRunningNode(url, withoutNetwork(chosen, "a node that runs already"), stage, start);
        } else if (chosen.stream().noneMatch(Payload::isNetworked)) {
            verdict = onNewNode(chosen, stage, Optional.empty(), start);
        } else if (!"root".equals(System.getProperty("user.name"))) {
            verdict = onNewNode(withoutNetwork(chosen, "a user other than root"), stage, Optional.empty(), start);
        } else {
            try (Internet outside = Internet.begin(payloads.folder(), "abuse")) {
                verdict = onNewNode(chosen, stage, Optional.of(outside), start);
            }
        }
        tell(verdict);
        return verdict.isAsExpected() ? ExitCode.OK : ExitCode.UNEXPECTED;
    }

    /** Payloads with a network need hosts that only root can create, and a node that uses their resolver. */
    private List<Payload> withoutNetwork(List<Payload> chosen, String why) {
        List<Payload> rest =
                chosen.stream().filter(payload -> !payload.isNetworked()).toList();
        if (rest.isEmpty()) {
            throw new UserError(
                    ExitCode.USAGE,
                    "payloads with a network need hosts and a node that only root can start; this is for " + why + ".");
        }
        if (rest.size() < chosen.size()) {
            terminal.note("leaving out " + (chosen.size() - rest.size())
                    + " payloads with a network, which need hosts and a node that only root can start; this is for "
                    + why
                    + ".");
        }
        return rest;
    }

    private Verdict onNewNode(List<Payload> chosen, Stage stage, Optional<Internet> outside, Instant start)
            throws ApiException, IOException {
        Path state = Files.createDirectories(surroundings.home().resolve("abuse"));
        say("Starting a node (its log: " + state.resolve("node.log") + ")");
        Map<String, String> overrides = outside.map(Internet::nodeSettings).orElse(Map.of());
        try (HostileImages images = images();
                TrialNode node = TrialNode.start(surroundings, state, overrides, images::close)) {
            Stage withHosts = stage;
            if (outside.isPresent()) {
                outside.get().requireReachable(EngineSocket.of(surroundings.environment()), IMAGE);
                withHosts = stage.withEnvironment(outside.get().environment());
            }
            Trial trial = trial(node.client(), images, chosen, withHosts);
            perform(trial, start);
            return verdict(node.client(), trial, stage, outside, start, Optional.of(node.leftovers()));
        }
    }

    private Verdict onRunningNode(String address, List<Payload> chosen, Stage stage, Instant start)
            throws ApiException, IOException {
        ApiClient client = new ApiClient(
                NodeAddress.parse(address),
                Credentials.find(NodeAddress.parse(address), surroundings.environment(), surroundings.home()),
                surroundings.retries());
        try (HostileImages images = images()) {
            Trial trial = trial(client, images, chosen, stage);
            perform(trial, start);
            return verdict(client, trial, stage, Optional.empty(), start, Optional.empty());
        }
    }

    private HostileImages images() {
        return new HostileImages(EngineSocket.of(surroundings.environment()));
    }

    private Trial trial(ApiClient client, HostileImages images, List<Payload> chosen, Stage stage) {
        return new Trial(client, images, stage, chosen, atOnce, surroundings.clock());
    }

    /** Shows the payloads until all have ended. */
    private void perform(Trial trial, Instant start) throws ApiException, IOException {
        Board board = new Board(
                TrialNode.boardForm(format, terminal), terminal.columns(), terminal.colours(), start, terminal::print);
        while (trial.step(result -> {
            board.wipe();
            say(line(result));
        })) {
            board.show(trial.onStage(), surroundings.clock().instant());
            TrialNode.pause(LOOK_INTERVAL);
        }
        board.wipe();
    }

    private static String line(Report.Result result) {
        return "%-6s %s: %s"
                .formatted(
                        result.isAsExpected() ? "ok" : "NOT SO",
                        result.agent().name(),
                        Printable.of(result.isAsExpected() ? Ending.cause(result.run()) : result.words()));
    }

    private Verdict verdict(
            ApiClient client,
            Trial trial,
            Stage stage,
            Optional<Internet> outside,
            Instant start,
            Optional<Leftovers> counted)
            throws ApiException, IOException {
        Leftovers leftovers = counted.orElse(new Leftovers(0, OptionalInt.empty(), 0));
        int leaks = TrialNode.leaks(client, trial.neighbours(), stage.secretValue());
        Duration total = Duration.between(start, surroundings.clock().instant());
        return new Verdict(
                new Report(trial.results(), leftovers, leaks, total),
                trial,
                client.health() == ApiClient.Health.READY,
                counted.isPresent(),
                outside.isPresent(),
                outside.map(Internet::trespasses).orElse(List.of()));
    }

    private List<Payload> choose(Payloads payloads) {
        for (String name : names) {
            if (payloads.all().stream().noneMatch(payload -> payload.name().equals(name))) {
                throw new UserError(
                        ExitCode.NOT_FOUND,
                        "there is no payload '" + name + "'; `vivarium abuse --list` has them all.");
            }
        }
        return payloads.all().stream()
                .filter(payload -> names.isEmpty() || names.contains(payload.name()))
                .toList();
    }

    private void tellPayloads(List<Payload> payloads) {
        if (format.isJson()) {
            var lines = ApiJson.object().putArray("payloads");
            for (Payload payload : payloads) {
                ObjectNode line = lines.addObject();
                line.put("payload", payload.name());
                line.put("about", payload.agent().about());
                line.put("tries", payload.tries());
                line.put("must", payload.must());
                line.put("expected", payload.agent().expect().words());
            }
            terminal.say(ApiJson.pretty(lines));
            return;
        }
        Table table = new Table("PAYLOAD", "EXPECTED", "WHAT IT IS");
        payloads.forEach(payload -> table.row(
                payload.name(),
                payload.agent().expect().words(),
                payload.agent().about()));
        terminal.print(table.render(terminal.colours()));
    }

    private void tell(Verdict verdict) {
        Report report = verdict.report();
        if (format.isJson()) {
            ObjectNode json = report.json();
            json.put("asExpected", verdict.isAsExpected());
            json.put("nodeHealthy", verdict.healthy());
            verdict.trespasses().forEach(json.putArray("trespasses")::add);
            json.put("neighbours", verdict.trial().neighbours().size());
            json.put("neighboursSucceeded", verdict.trial().allNeighboursSucceeded());
            verdict.trial().aloneMillis().ifPresent(millis -> json.put("neighbourAloneMillis", millis));
            terminal.say(ApiJson.pretty(json));
            return;
        }
        terminal.print("\n" + report.table().render(terminal.colours()) + "\n");
        verdict.trial().aloneMillis().ifPresent(millis -> terminal.say(neighbours(verdict, millis)));
        terminal.say(
                verdict.counted()
                        ? report.leftovers().words() + " (counted by the engine and the kernel, not by the node)"
                        : "what is left was not counted: the node was not started here");
        if (verdict.networked()) {
            terminal.say(
                    verdict.trespasses().isEmpty()
                            ? "no internal host was reached, and an unfiltered container had reached all"
                            : "INTERNAL HOSTS WERE REACHED: " + String.join("; ", verdict.trespasses()));
        }
        terminal.say("the node is " + (verdict.healthy() ? "healthy" : "NOT HEALTHY"));
        if (report.leaks() > 0) {
            terminal.say("THE NEIGHBOUR'S SECRET WAS FOUND in " + report.leaks() + " answers of the API");
        }
        terminal.say(report.results().size() + " payloads in " + Amounts.time(report.total())
                + (verdict.isAsExpected() ? ", all as expected" : ", NOT ALL AS EXPECTED"));
    }

    private static String neighbours(Verdict verdict, double aloneMillis) {
        List<AgentRun> runs = verdict.trial().neighbours();
        return String.format(
                Locale.ROOT,
                "neighbours: %d runs, %s; a tick of work took %.1f ms alone, and NEIGHBOUR says how many times that"
                        + " beside each payload",
                runs.size(),
                verdict.trial().allNeighboursSucceeded() ? "all finished" : "NOT ALL FINISHED",
                aloneMillis);
    }

    private void say(String line) {
        if (!format.isJson()) {
            terminal.say(line);
        }
    }
}
