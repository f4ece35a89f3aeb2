package dev.vivarium.node.cli;

import dev.vivarium.client.Patience;
import dev.vivarium.node.NodeLauncher;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * What the command line finds around it, in one place, so that tests can put something else there.
 *
 * @param terminal where it prints
 * @param environment the environment variables
 * @param home where state is kept: {@code $VIVARIUM_HOME}, else {@code .vivarium} beside the launcher
 * @param root the folder of the launcher, with the examples
 * @param interrupts Ctrl-C and SIGTERM
 * @param launcher starts nodes in this process
 * @param patience how long a client waits for a node that is lost
 * @param secretPrompt asks for secrets that are nowhere else
 * @param clock says what time it is
 */
record Surroundings(
        Terminal terminal,
        Map<String, String> environment,
        Path home,
        Path root,
        Interrupts interrupts,
        NodeLauncher launcher,
        Patience patience,
        SecretPrompt secretPrompt,
        Clock clock) {
    /** Those of this process. */
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
                Patience.DEFAULT,
                SecretPrompt.ofProcess(),
                Clock.systemUTC());
    }
}
