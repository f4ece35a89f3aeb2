package dev.vivarium.node.cli;

import dev.vivarium.client.ApiClient;
import dev.vivarium.protocol.run.RunId;
import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --server}, for every command that talks to a node. */
final class ServerOption {
    private static final String DEFAULT = "http://127.0.0.1:8080";

    @Option(
            names = "--server",
            paramLabel = "URL",
            description = {"The node to talk to (default: VIVARIUM_SERVER, else", DEFAULT + ")."})
    private @Nullable String server;

    ApiClient client(Surroundings surroundings) {
        return new ApiClient(uri(surroundings), surroundings.patience());
    }

    /** A client of the node at an address as users write it. */
    static ApiClient client(String address, Surroundings surroundings) {
        return new ApiClient(uri(address), surroundings.patience());
    }

    private URI uri(Surroundings surroundings) {
        return uri(server != null ? server : surroundings.environment().getOrDefault("VIVARIUM_SERVER", ""));
    }

    private static URI uri(String named) {
        String text = named.isEmpty() ? DEFAULT : named.contains("://") ? named : "http://" + named;
        try {
            URI uri = URI.create(text);
            boolean spoken = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (spoken && uri.getHost() != null && uri.getRawQuery() == null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (IllegalArgumentException malformed) {
            throw notAnAddress(text);
        }
        throw notAnAddress(text);
    }

    private static UserError notAnAddress(String text) {
        return new UserError(
                ExitCode.USAGE, "'" + text + "' is not the address of a node; it must be like " + DEFAULT + ".");
    }

    /** The id as the API wants it. */
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
