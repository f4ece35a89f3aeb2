package dev.vivarium.trials;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.trials.agents.Agent;
import dev.vivarium.trials.agents.AgentRun;
import dev.vivarium.trials.agents.Board;
import dev.vivarium.trials.agents.Catalogue;
import dev.vivarium.trials.agents.Report;
import dev.vivarium.trials.agents.Stage;
import dev.vivarium.trials.outside.Leftovers;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium quickstart}. */
@Command(
        name = "quickstart",
        description = {
            "Starts a node, runs the agents of examples/ together, and shows their results.",
            "Exits with 0 only when each result is as expected and nothing is left behind."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class QuickstartCommand implements Callable<Integer> {
    /** Between two polls of the runs; looks continuous. */
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);
    /** For all examples together, which take a tenth of it. */
    private static final Duration TOTAL_MAX = Duration.ofMinutes(3);
    /** For cancelled runs to end. */
    private static final Duration LEAVE_MAX = Duration.ofSeconds(10);

    private final Surroundings surroundings;
    private final Terminal terminal;

    @Option(
            names = "--browser",
            description = "Run the agents of examples/browser/, which steer a real Chromium, instead.")
    private boolean browser;

    @Mixin
    private final FormatOption format = new FormatOption();

    QuickstartCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        this.terminal = surroundings.terminal();
    }

    @Override
    public Integer call() throws ApiException, IOException {
        Instant start = surroundings.clock().instant();
        Path folder = surroundings.root().resolve(browser ? "examples/browser" : "examples");
        Catalogue catalogue = Catalogue.of(folder);
        Path state = Files.createDirectories(surroundings.home().resolve("quickstart"));
        say("Starting a node (its log: " + state.resolve("node.log") + ")");
        Report report;
        try (TrialNode node = TrialNode.start(surroundings, state, Map.of(), () -> {})) {
            say("The node is ready at " + node.client().server() + " after "
                    + Amounts.time(Duration.between(start, surroundings.clock().instant())) + ". "
                    + catalogue.agents().size() + " agents run now, each in its own sandbox:\n");
            report = perform(node, catalogue, folder, start);
        }
        tell(report, state.resolve("data"));
        return report.isAsExpected() ? ExitCode.OK : ExitCode.UNEXPECTED;
    }

    private Report perform(TrialNode node, Catalogue catalogue, Path folder, Instant start)
            throws ApiException, IOException {
        ApiClient client = node.client();
        String secret = TrialNode.newSecret();
        Stage stage = new Stage(folder, catalogue.image(), Optional.empty(), secret, Map.of());
        List<AgentRun> runs = new ArrayList<>();
        for (Agent agent : catalogue.agents()) {
            AgentRun run = AgentRun.submit(client, agent, stage);
            run.listen(client);
            runs.add(run);
        }
        watch(client, runs, start);
        Leftovers leftovers = node.leftovers();
        int leaks = TrialNode.leaks(client, runs, secret);
        return new Report(
                runs.stream()
                        .map(run -> Report.Result.of(run, OptionalDouble.empty(), Optional.empty()))
                        .toList(),
                leftovers,
                leaks,
                Duration.between(start, surroundings.clock().instant()));
    }

    /** Shows the runs until all have ended; runs that take far too long are cancelled, which the report shows. */
    private void watch(ApiClient client, List<AgentRun> runs, Instant start) throws ApiException, IOException {
        Board board = new Board(
                TrialNode.boardForm(format, terminal), terminal.columns(), terminal.colours(), start, terminal::print);
        Instant end = start.plus(TOTAL_MAX);
        boolean inTime = true;
        while (!runs.stream().allMatch(AgentRun::isOver)) {
            TrialNode.pause(LOOK_INTERVAL);
            for (AgentRun run : runs) {
                run.look(client);
            }
            Instant now = surroundings.clock().instant();
            board.show(runs, now);
            if (inTime && now.isAfter(end)) {
                inTime = false;
                end = now.plus(LEAVE_MAX);
                cancel(client, runs);
            } else if (now.isAfter(end)) {
                break;
            }
        }
        board.wipe();
    }

    private static void cancel(ApiClient client, List<AgentRun> runs) throws ApiException, InterruptedIOException {
        for (AgentRun run : runs) {
            if (!run.isOver()) {
                client.cancel(run.view().id().value());
            }
        }
    }

    private void tell(Report report, Path data) {
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(report.json()));
            return;
        }
        terminal.print("\n" + report.table().render(terminal.colours()) + "\n");
        terminal.say(report.leftovers().words() + " (counted by the engine and the kernel, not by the node)");
        if (report.leaks() > 0) {
            terminal.say("THE SECRET WAS FOUND in " + report.leaks() + " answers of the API");
        }
        terminal.say("total: " + Amounts.time(report.total())
                + (report.isAsExpected() ? ", all as expected" : ", NOT ALL AS EXPECTED"));
        terminal.print(
                """

                Next: ./vivarium up                       a node of your own, then in another terminal:
                      ./vivarium run -- python3 -c 'print("hello")'
                      ./vivarium run --memory 64Mi --wall-clock 5s --file examples/thought_loop.py -- python3 thought_loop.py
                      ./vivarium ps; ./vivarium events ID   what there was, and exactly what happened
                These runs again: ./vivarium up --data %s
                """
                        .formatted(surroundings.root().relativize(data)));
    }

    private void say(String line) {
        if (!format.isJson()) {
            terminal.say(line);
        }
    }
}
