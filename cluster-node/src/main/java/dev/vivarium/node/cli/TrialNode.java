package dev.vivarium.node.cli;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.cli.text.Table;
import dev.vivarium.node.cli.trial.AgentRun;
import dev.vivarium.node.cli.trial.Board;
import dev.vivarium.node.cli.trial.LeftoverScan;
import dev.vivarium.node.cli.trial.Leftovers;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A node for one trial, with somebody beside it who counts what it makes. Ctrl-C takes it down, sandboxes and all. */
final class TrialNode implements AutoCloseable {
    /** For the last sandbox to go when the last run has ended. */
    private static final Duration LEAVE_MAX = Duration.ofSeconds(10);

    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);
    private static final int SECRET_BYTES = 16;

    private final Surroundings surroundings;
    private final RunningNode node;
    private final LeftoverScan census;
    private final ApiClient client;

    private TrialNode(Surroundings surroundings, RunningNode node, LeftoverScan census) {
        this.surroundings = surroundings;
        this.node = node;
        this.census = census;
        this.client = new ApiClient(node.uri(), surroundings.patience());
    }

    /**
     * Starts the node.
     *
     * @param state where its log and its data are
     * @param overrides of its configuration
     * @param onInterrupt what else must be taken away when the user presses Ctrl-C
     */
    static TrialNode start(Surroundings surroundings, Path state, Map<String, String> overrides, Runnable onInterrupt)
            throws NodeStartException, IOException {
        NodeLog.toFile(state.resolve("node.log"));
        NodeOptions options = new NodeOptions("127.0.0.1", 0, state.resolve("data"), Optional.empty(), overrides);
        RunningNode node = surroundings.launcher().start(options);
        try {
            LeftoverScan census = new LeftoverScan(surroundings.environment(), node.sandboxLabel());
            surroundings.interrupts().listen(count -> {
                if (count == 1) {
                    surroundings.terminal().note("stopping, and taking the sandboxes away.");
                    node.close();
                    onInterrupt.run();
                    Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
                }
            });
            return new TrialNode(surroundings, node, census);
        } catch (IOException noEngine) {
            node.close();
            throw noEngine;
        }
    }

    ApiClient client() {
        return client;
    }

    /** A run has ended a moment before its sandbox is taken away; the node gets that moment, and no more. */
    Leftovers leftovers() throws IOException {
        Instant end = surroundings.clock().instant().plus(LEAVE_MAX);
        Leftovers leftovers = census.count();
        while (!leftovers.isNothing() && surroundings.clock().instant().isBefore(end)) {
            pause(LOOK_INTERVAL);
            leftovers = census.count();
        }
        return leftovers;
    }

    @Override
    public void close() throws IOException {
        census.close();
        node.close();
    }

    /** A secret that is new each time, and known when it is seen. */
    static String newSecret() {
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        return "canary-" + HexFormat.of().formatHex(random);
    }

    /** Looks for the secret where everybody may look: in what the API says of the runs. */
    static int leaks(ApiClient client, List<AgentRun> runs, String secret) throws ApiException, InterruptedIOException {
        int leaks = 0;
        for (AgentRun run : runs) {
            String id = run.view().id().value();
            for (var answer : List.of(client.run(id), client.events(id))) {
                leaks += ApiJson.line(answer).contains(secret) ? 1 : 0;
            }
        }
        return leaks;
    }

    /** How a trial is shown while it goes on. */
    static Board.Form boardForm(FormatOption format, Terminal terminal) {
        if (format.isJson()) {
            return Board.Form.NOTHING;
        }
        boolean redraws = terminal.outKind() == Terminal.Kind.TERMINAL && terminal.colours() == Table.Colours.ON;
        return redraws ? Board.Form.TABLE : Board.Form.LINES;
    }

    static void pause(Duration interval) throws InterruptedIOException {
        try {
            Thread.sleep(interval.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
