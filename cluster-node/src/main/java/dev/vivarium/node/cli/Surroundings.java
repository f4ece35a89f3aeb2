package dev.vivarium.node.cli;

import dev.vivarium.client.RetryPolicy;
import dev.vivarium.node.NodeLauncher;
import dev.vivarium.terminal.Interrupts;
import dev.vivarium.terminal.Terminal;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * The environment of the command line, in one place, so that tests can replace it.
 *
 * @param terminal prints its output
 * @param environment the environment variables
 * @param home the folder for state: {@code $VIVARIUM_HOME}, else {@code .vivarium} beside the launcher
 * @param root the folder of the launcher, with the examples
 * @param interrupts Ctrl-C and SIGTERM
 * @param launcher starts nodes in this process
 * @param retries how long a client waits for a node that is lost
 * @param secretPrompt asks for secrets that are not set otherwise
 * @param clock the time
 */
record Surroundings(
        Terminal terminal,
        Map<String, String> environment,
        Path home,
        Path root,
        Interrupts interrupts,
        NodeLauncher launcher,
        RetryPolicy retries,
        SecretPrompt secretPrompt,
        Clock clock) {
    /** The surroundings of this process. */
    static Surroundings ofProcess(NodeLauncher launcher) {
        Path root = Path.of(System.getProperty("vivarium.root", "")).toAbsolutePath();
        String home = System.getenv("VIVARIUM_HOME");
        return new Surroundings(
                Terminal.ofProcess(),
                System.getenv(),
                home == null || home.isEmpty()
                        ? root.resolve(".vivarium")
                        : Path.of(home).toAbsolutePath(),
                root,
                Interrupts.ofProcess(),
                launcher,
                RetryPolicy.DEFAULT,
                SecretPrompt.ofProcess(),
                Clock.systemUTC());
    }
}
