package dev.vivarium.node.cli;

import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.cli.client.ApiClient;
import dev.vivarium.node.cli.client.ApiException;
import dev.vivarium.node.cli.client.ApiJson;
import dev.vivarium.node.cli.quickstart.Agent;
import dev.vivarium.node.cli.quickstart.AgentRun;
import dev.vivarium.node.cli.quickstart.Board;
import dev.vivarium.node.cli.quickstart.Catalogue;
import dev.vivarium.node.cli.quickstart.Census;
import dev.vivarium.node.cli.quickstart.Leftovers;
import dev.vivarium.node.cli.quickstart.Report;
import dev.vivarium.node.cli.text.Amounts;
import dev.vivarium.node.cli.text.Table;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code vivarium quickstart}. */
@Command(
        name = "quickstart",
        description = {
            "Starts a node, runs the agents of examples/ together, and shows what becomes of them.",
            "Exits with 0 only when each came to what was expected and nothing was left behind."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class QuickstartCommand implements Callable<Integer> {
    /** Between two looks at the runs: often enough for the eye. */
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);
    /** All examples together; they take a tenth of it. */
    private static final Duration TOTAL_MAX = Duration.ofMinutes(3);
    /** For the last sandbox to go when the last run has ended. */
    private static final Duration LEAVE_MAX = Duration.ofSeconds(10);

    private static final int SECRET_BYTES = 16;

    private final Surroundings surroundings;
    private final Terminal terminal;

    @Mixin
    private final FormatOption format = new FormatOption();

    QuickstartCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        this.terminal = surroundings.terminal();
    }

    @Override
    public Integer call() throws ApiException, IOException, NodeStartException {
        Instant start = surroundings.clock().instant();
        Path folder = surroundings.root().resolve("examples");
        Catalogue catalogue = Catalogue.of(folder);
        Path state = Files.createDirectories(surroundings.home().resolve("quickstart"));
        NodeLog.toFile(state.resolve("node.log"));
        say("Starting a node (its log: " + state.resolve("node.log") + ")");
        NodeOptions options = new NodeOptions("127.0.0.1", 0, state.resolve("data"), Optional.empty(), Map.of());
        Report report;
        try (RunningNode node = surroundings.launcher().start(options);
                Census census = new Census(surroundings.environment(), node.sandboxLabel())) {
            surroundings.interrupts().listen(count -> stop(node, count));
            say("The node is ready at " + node.uri() + " after "
                    + Amounts.time(Duration.between(start, surroundings.clock().instant())) + ". "
                    + catalogue.agents().size() + " agents run now, each in a sandbox of its own:\n");
            report = perform(new ApiClient(node.uri(), surroundings.patience()), catalogue, folder, census, start);
        }
        tell(report, state.resolve("data"));
        return report.isAsExpected() ? ExitCode.OK : ExitCode.UNEXPECTED;
    }

    private Report perform(ApiClient client, Catalogue catalogue, Path folder, Census census, Instant start)
            throws ApiException, IOException {
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        String secret = "canary-" + HexFormat.of().formatHex(random);
        List<AgentRun> runs = new ArrayList<>();
        for (Agent agent : catalogue.agents()) {
            AgentRun run = AgentRun.submit(client, agent, folder, catalogue.image(), secret);
            run.listen(client);
            runs.add(run);
        }
        watch(client, runs, start);
        Leftovers leftovers = countWhenSettled(census);
        int leaks = leaks(client, runs, secret);
        return new Report(
                runs.stream()
                        .map(run -> new Report.Result(run.agent(), run.view()))
                        .toList(),
                leftovers,
                leaks,
                Duration.between(start, surroundings.clock().instant()));
    }

    /** Shows the runs until all are over; what takes far too long is cancelled, and the report will say so. */
    private void watch(ApiClient client, List<AgentRun> runs, Instant start) throws ApiException, IOException {
        Board board = new Board(boardForm(), terminal.columns(), terminal.colours(), start, terminal::print);
        Instant end = start.plus(TOTAL_MAX);
        boolean inTime = true;
        while (!runs.stream().allMatch(AgentRun::isOver)) {
            pause();
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

    /** A run has ended a moment before its sandbox is taken away; the node gets that moment, and no more. */
    private Leftovers countWhenSettled(Census census) throws IOException {
        Instant end = surroundings.clock().instant().plus(LEAVE_MAX);
        Leftovers leftovers = census.count();
        while (!leftovers.isNothing() && surroundings.clock().instant().isBefore(end)) {
            pause();
            leftovers = census.count();
        }
        return leftovers;
    }

    /** Looks for the secret where everybody may look: in what the API says of the runs. */
    private static int leaks(ApiClient client, List<AgentRun> runs, String secret)
            throws ApiException, InterruptedIOException {
        int leaks = 0;
        for (AgentRun run : runs) {
            String id = run.view().id().value();
            for (var answer : List.of(client.run(id), client.events(id))) {
                leaks += ApiJson.line(answer).contains(secret) ? 1 : 0;
            }
        }
        return leaks;
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

    private Board.Form boardForm() {
        if (format.isJson()) {
            return Board.Form.NOTHING;
        }
        boolean redraws = terminal.outKind() == Terminal.Kind.TERMINAL && terminal.colours() == Table.Colours.ON;
        return redraws ? Board.Form.TABLE : Board.Form.LINES;
    }

    private void stop(RunningNode node, int count) {
        if (count == 1) {
            terminal.note("stopping, and taking the sandboxes away.");
            node.close();
            Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
        }
    }

    private static void pause() throws InterruptedIOException {
        try {
            Thread.sleep(LOOK_INTERVAL.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
