package dev.vivarium.trials;

import dev.vivarium.client.RetryPolicy;
import dev.vivarium.terminal.Interrupts;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.trials.outside.Node;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The environment of the commands, in one place, so that tests can replace it.
 *
 * @param terminal prints their output
 * @param environment the environment variables
 * @param home the folder for state: {@code $VIVARIUM_HOME}, else {@code .vivarium} beside the launcher
 * @param root the folder of the launcher, with the examples
 * @param interrupts Ctrl-C and SIGTERM
 * @param nodes starts nodes
 * @param retries how long a client waits for a node that is lost
 * @param clock the time
 */
public record Surroundings(
        Terminal terminal,
        Map<String, String> environment,
        Path home,
        Path root,
        Interrupts interrupts,
        NodeStarter nodes,
        RetryPolicy retries,
        Clock clock) {
    /** A trial closes its node when its runs have ended, or when it has stopped waiting for them. */
    private static final Duration DRAIN = Duration.ofSeconds(1);

    /** The surroundings of this process, with nodes that the launcher starts. */
    static Surroundings ofProcess() {
        Path root = Path.of(System.getProperty("vivarium.root", "")).toAbsolutePath();
        String named = System.getenv("VIVARIUM_HOME");
        Path home = named == null || named.isEmpty()
                ? root.resolve(".vivarium")
                : Path.of(named).toAbsolutePath();
        return new Surroundings(
                Terminal.ofProcess(),
                System.getenv(),
                home,
                root,
                Interrupts.ofProcess(),
                (state, config) -> startNode(List.of(root.resolve("vivarium").toString()), home, state, config),
                RetryPolicy.DEFAULT,
                Clock.systemUTC());
    }

    /**
     * Starts a node in a separate process.
     *
     * @param program the {@code vivarium} program, with its first arguments
     * @param home the folder for state, with the token of this machine's operator
     * @param state the folder of the node's log and data
     */
    public static Node startNode(List<String> program, Path home, Path state, Map<String, String> config)
            throws IOException {
        return NodeProcess.start(
                new NodeProcess.Start(program, home, state, NodeProcess.Afterwards.KEEP, DRAIN, config));
    }
}
