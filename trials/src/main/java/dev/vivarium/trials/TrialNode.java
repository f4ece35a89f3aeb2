package dev.vivarium.trials;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.trials.agents.AgentRun;
import dev.vivarium.trials.agents.Board;
import dev.vivarium.trials.outside.LeftoverScan;
import dev.vivarium.trials.outside.Leftovers;
import dev.vivarium.trials.outside.Node;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** A node for one trial, and the count of its leftovers. Ctrl-C ends it with its sandboxes. */
final class TrialNode implements AutoCloseable {
    /** For the last sandbox to disappear after the last run has ended. */
    private static final Duration LEAVE_MAX = Duration.ofSeconds(10);

    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);
    private static final int SECRET_BYTES = 16;

    private final Surroundings surroundings;
    private final Node node;
    private final LeftoverScan scan;
    private final ApiClient client;

    private TrialNode(Surroundings surroundings, Node node, LeftoverScan scan) {
        this.surroundings = surroundings;
        this.node = node;
        this.scan = scan;
        // The node is this program's own: a token of the user's may be for another one.
        this.client = new ApiClient(
                node.uri(), Credentials.in(Credentials.fileIn(surroundings.home())), surroundings.retries());
    }

    /**
     * Starts the node.
     *
     * @param state the folder of its log and its data
     * @param config configuration that overrides the defaults
     * @param onInterrupt what else to remove when the user presses Ctrl-C
     */
    static TrialNode start(Surroundings surroundings, Path state, Map<String, String> config, Runnable onInterrupt)
            throws IOException {
        Map<String, String> all = new HashMap<>(config);
        // Commands of the user that name no node are not meant for this one.
        all.put("vivarium.http.local-socket.path", "off");
        Node node = surroundings.nodes().start(state, all);
        try {
            LeftoverScan scan = new LeftoverScan(surroundings.environment(), node.installation());
            surroundings.interrupts().listen(count -> {
                if (count == 1) {
                    takeAway(surroundings.terminal(), node, onInterrupt);
                }
            });
            return new TrialNode(surroundings, node, scan);
        } catch (IOException noEngine) {
            node.close();
            throw noEngine;
        }
    }

    private static void takeAway(Terminal terminal, Node node, Runnable further) {
        terminal.note("stopping, and removing the sandboxes.");
        try {
            node.close();
        } catch (IOException unwaited) {
            terminal.note("the node may still run: " + unwaited.getMessage() + ".");
        }
        further.run();
        Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
    }

    ApiClient client() {
        return client;
    }

    /** A run ends a moment before its sandbox is removed; the node gets that moment, and no more. */
    Leftovers leftovers() throws IOException {
        Instant end = surroundings.clock().instant().plus(LEAVE_MAX);
        Leftovers leftovers = scan.count();
        while (!leftovers.isNothing() && surroundings.clock().instant().isBefore(end)) {
            pause(LOOK_INTERVAL);
            leftovers = scan.count();
        }
        return leftovers;
    }

    @Override
    public void close() throws IOException {
        scan.close();
        node.close();
    }

    /** A secret that is new each time, and recognizable. */
    static String newSecret() {
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        return "canary-" + HexFormat.of().formatHex(random);
    }

    /** Searches the API's answers about the runs for the secret. */
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

    /** How a trial in progress is shown. */
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
