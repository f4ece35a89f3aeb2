package dev.vivarium.node.cli;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.Trust;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.NodeAddress;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.net.URI;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --server}, for every command that talks to a node. */
final class ServerOption {
    @Option(
            names = "--server",
            paramLabel = "URL",
            description = {"The node to talk to (default: VIVARIUM_SERVER, else", NodeAddress.DEFAULT + ")."})
    private @Nullable String server;

    @Option(
            names = "--authority",
            paramLabel = "FILE",
            description = {
                "For a node at https://…, the authority of its certificate, in PEM (default: VIVARIUM_AUTHORITY,",
                "else those that this machine trusts)."
            })
    private @Nullable Path authority;

    ApiClient client(Surroundings surroundings) {
        URI server = uri(surroundings);
        return new ApiClient(
                server,
                Credentials.find(server, surroundings.environment(), surroundings.home()),
                trust(surroundings),
                surroundings.retries());
    }

    private Trust trust(Surroundings surroundings) {
        try {
            return authority != null ? Trust.in(authority) : Trust.find(surroundings.environment());
        } catch (NoSuchFileException missing) {
            throw new UserError(ExitCode.NOT_FOUND, missing.getMessage() + ": there is no such file of authorities.");
        } catch (IOException useless) {
            throw new UserError(ExitCode.USAGE, String.valueOf(useless.getMessage()));
        }
    }

    private URI uri(Surroundings surroundings) {
        return NodeAddress.parse(
                server != null ? server : surroundings.environment().getOrDefault("VIVARIUM_SERVER", ""));
    }

    /** The id in the API's notation. */
    static String runId(String text) {
        String id = text.toLowerCase(Locale.ROOT);
        if (!RunId.isValid(id)) {
            throw new UserError(
                    ExitCode.USAGE,
                    "'" + text + "' is not a run's id; it must be 26 characters as `vivarium ps` shows them.");
        }
        return id;
    }
}
