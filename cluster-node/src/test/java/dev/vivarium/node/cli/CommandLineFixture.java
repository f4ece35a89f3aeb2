package dev.vivarium.node.cli;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.node.NodeLauncher;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.terminal.Interrupts;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The command line in an environment that a test sets up. */
final class CommandLineFixture {
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final ByteArrayOutputStream err = new ByteArrayOutputStream();
    final Map<String, String> environment = new HashMap<>();
    final CompletableFuture<Interrupts.Listener> interrupts = new CompletableFuture<>();
    NodeLauncher launcher = options -> {
        throw new NodeStartException("This test starts no node.");
    };
    SecretPrompt secretPrompt = name -> Optional.empty();
    /** The error that writing to standard output fails with. */
    Optional<String> outFailure = Optional.empty();

    Terminal.Kind kind = Terminal.Kind.PIPE;
    Path home = Path.of("home");
    Path root = Path.of("").toAbsolutePath().getParent();

    private static final class FailingStream extends OutputStream {
        private final String message;

        FailingStream(String message) {
            this.message = message;
        }

        @Override
        public void write(int next) throws IOException {
            throw new IOException(message);
        }
    }

    int run(String... arguments) {
        Surroundings surroundings = new Surroundings(
                new Terminal(
                        outFailure.<OutputStream>map(FailingStream::new).orElse(out),
                        err,
                        kind,
                        kind,
                        100,
                        Table.Colours.OFF),
                environment,
                home,
                root,
                interrupts::complete,
                launcher,
                ScriptedNode.SHORT,
                secretPrompt,
                Clock.fixed(Instant.parse("2026-01-01T00:10:00Z"), ZoneOffset.UTC));
        return Vivarium.commandLine(surroundings, arguments).execute(arguments);
    }

    CommandLineFixture against(ScriptedNode node) {
        environment.put("VIVARIUM_SERVER", node.uri().toString());
        return this;
    }

    String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String noted() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
