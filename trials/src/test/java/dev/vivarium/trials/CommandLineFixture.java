package dev.vivarium.trials;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;

/** The command line in an environment that a test sets up. */
final class CommandLineFixture {
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final ByteArrayOutputStream err = new ByteArrayOutputStream();
    final Map<String, String> environment = new HashMap<>();
    NodeStarter nodes = (state, config) -> {
        throw new IOException("This test starts no node.");
    };
    Path home = Path.of("home");
    Path root = Path.of("").toAbsolutePath().getParent();

    int run(String... arguments) {
        Surroundings surroundings = new Surroundings(
                new Terminal(out, err, Terminal.Kind.PIPE, Terminal.Kind.PIPE, 100, Table.Colours.OFF),
                environment,
                home,
                root,
                listener -> {},
                nodes,
                ScriptedNode.SHORT,
                Clock.fixed(Instant.parse("2026-01-01T00:10:00Z"), ZoneOffset.UTC));
        return Trials.commandLine(surroundings).execute(arguments);
    }

    String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String noted() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
