package dev.vivarium.node.cli;

import dev.vivarium.client.Credentials;
import dev.vivarium.client.LocalServer;
import dev.vivarium.node.NodeCutOffException;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code vivarium up}. */
@Command(
        name = "up",
        description = {
            "Runs a node in the foreground and prints its URL once it is ready.",
            "Ctrl-C or SIGTERM drains it: no new runs, the live ones may end. A second one ends them at once. Either way"
                    + " no sandbox stays behind."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 drained and gone; 2 wrong usage; 66 no such file; 69 it cannot start; 70 a defect; 76 cut off from its"
                    + " cluster, start it again.",
            "",
            "Examples:",
            "  vivarium up --port 9000 --data /var/lib/vivarium",
            "  vivarium up --host 0.0.0.0 --certificate node.crt --key node.key",
            "  vivarium up --set vivarium.run.live-max=64"
        })
final class UpCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8080",
            description = "The API's port; 0 for any free one (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "The address to listen on (default: ${DEFAULT-VALUE}, this machine alone).")
    private String host = "127.0.0.1";

    @Option(
            names = "--certificate",
            paramLabel = "FILE",
            description =
                    "The API's certificate for TLS, in PEM, and those that lead to its authority. A file that is replaced"
                            + " is used without a restart.")
    private @Nullable Path certificate;

    @Option(
            names = "--key",
            paramLabel = "FILE",
            description = "The private key of the certificate, in PEM without a password.")
    private @Nullable Path key;

    @Option(
            names = "--insecure-tokens-in-clear-text",
            description =
                    "Listen on an address that is not this machine's own without TLS: for networks where nobody else"
                            + " can listen.")
    private boolean clearText;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Where the node keeps what must last (default: $$VIVARIUM_HOME/data).")
    private @Nullable Path data;

    @Option(
            names = "--drain",
            paramLabel = "TIME",
            defaultValue = "30s",
            description = "How long live runs get when the node drains (default: ${DEFAULT-VALUE}).")
    private String drain = "30s";

    @Option(names = "--config", paramLabel = "FILE", description = "A configuration file (HOCON).")
    private @Nullable Path config;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A key of the configuration; may be repeated. reference.conf explains them all.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    UpCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws NodeStartException {
        if (port < 0 || port > 65_535) {
            throw new UserError(ExitCode.USAGE, "--port must be from 0 to 65535.");
        }
        Duration patience = drainTime();
        NodeLog.toStandardError();
        if (config != null && !Files.isReadable(config)) {
            throw new UserError(ExitCode.NOT_FOUND, "--config " + config + ": there is no such file.");
        }
        Path dataDir = data != null ? data : surroundings.home().resolve("data");
        NodeOptions options = new NodeOptions(
                host,
                port,
                dataDir.toAbsolutePath(),
                Credentials.fileIn(surroundings.home()),
                LocalServer.socketIn(surroundings.home()),
                Optional.ofNullable(config),
                settings());
        try (RunningNode node = surroundings.launcher().start(options)) {
            surroundings.interrupts().listen(count -> interrupted(node, count, patience));
            surroundings.terminal().say("Vivarium is ready at " + node.uri() + " (data in " + dataDir + ")");
            node.newLocalToken().ifPresent(this::showOnce);
            surroundings.terminal().note("Ctrl-C drains the node.");
            node.terminated().toCompletableFuture().join();
            return ExitCode.OK;
        } catch (CompletionException ended) {
            if (ended.getCause() instanceof NodeCutOffException cutOff) {
                surroundings.terminal().note(String.valueOf(cutOff.getMessage()));
                return ExitCode.CUT_OFF;
            }
            surroundings.terminal().note("the node ended by a defect: " + ended.getCause());
            return ExitCode.DEFECT;
        }
    }

    /** Those of the command line; an option for a key goes before --set. */
    private Map<String, String> settings() {
        Map<String, String> all = new LinkedHashMap<>(overrides);
        if (certificate != null) {
            all.put(
                    "vivarium.http.tls.certificate",
                    certificate.toAbsolutePath().toString());
        }
        if (key != null) {
            all.put("vivarium.http.tls.key", key.toAbsolutePath().toString());
        }
        if (clearText) {
            all.put("vivarium.http.insecure-tokens-in-clear-text", "on");
        }
        return all;
    }

    /**
     * Commands need none, at the node's socket, or find it by themselves; it is for browsers and other programs. It is shown on
     * a terminal only: what else standard error may be is a log, which others may read.
     */
    private void showOnce(String token) {
        Terminal terminal = surroundings.terminal();
        terminal.note("the API asks for a token, and your commands on this machine need none. For other programs"
                + (terminal.errKind() == Terminal.Kind.TERMINAL
                        ? ": Authorization: Bearer " + token + " (shown again by `vivarium token show-local`)."
                        : ", `vivarium token show-local` shows it."));
    }

    private void interrupted(RunningNode node, int count, Duration patience) {
        if (count == 1) {
            surroundings
                    .terminal()
                    .note("draining: live runs get up to " + Amounts.time(patience) + "; Ctrl-C again ends them now.");
            node.drain(patience);
        } else if (count == 2) {
            surroundings.terminal().note("ending what runs.");
            node.close();
        }
    }

    private Duration drainTime() {
        try {
            return TimeSpan.parse(drain).duration();
        } catch (IllegalArgumentException malformed) {
            throw new UserError(ExitCode.USAGE, "--drain " + malformed.getMessage() + ".");
        }
    }
}
