package dev.vivarium.node.cli;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ClientCertificate;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.LocalServer;
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
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --server}, for every command that talks to a node. */
final class ServerOption {
    @Option(
            names = "--server",
            paramLabel = "URL",
            description = {
                "The node to talk to, by its URL or as unix:/path/to/api.sock (default: VIVARIUM_SERVER, else this machine's",
                "by its socket in VIVARIUM_HOME, else " + NodeAddress.DEFAULT + ")."
            })
    private @Nullable String server;

    @Option(
            names = "--authority",
            paramLabel = "FILE",
            description = {
                "For a node at https://…, the authority of its certificate, in PEM (default: VIVARIUM_AUTHORITY,",
                "else those that this machine trusts)."
            })
    private @Nullable Path authority;

    @Option(
            names = "--client-certificate",
            paramLabel = "FILE",
            description = {
                "For a node that knows callers by certificates: your certificate in PEM, presented in place of a token",
                "(default: VIVARIUM_CLIENT_CERTIFICATE)."
            })
    private @Nullable Path certificate;

    @Option(
            names = "--client-key",
            paramLabel = "FILE",
            description = "Its private key in PEM (PKCS #8), without a password (default: VIVARIUM_CLIENT_KEY).")
    private @Nullable Path key;

    ApiClient client(Surroundings surroundings) {
        Optional<ClientCertificate> presented = presented(surroundings);
        URI server = uri(presented, surroundings);
        return new ApiClient(
                server, credentials(presented, server, surroundings), trust(surroundings), surroundings.retries());
    }

    private static Credentials credentials(
            Optional<ClientCertificate> presented, URI server, Surroundings surroundings) {
        return presented
                .map(Credentials::of)
                .orElseGet(() -> Credentials.find(server, surroundings.environment(), surroundings.home()));
    }

    /** The options' certificate, else that of the environment, unless it names a token. */
    private Optional<ClientCertificate> presented(Surroundings surroundings) {
        if ((certificate == null) != (key == null)) {
            throw new UserError(ExitCode.USAGE, "Give both of --client-certificate and --client-key, or none.");
        }
        try {
            if (certificate != null && key != null) {
                return Optional.of(ClientCertificate.in(certificate, key));
            }
            boolean token = !surroundings
                    .environment()
                    .getOrDefault(Credentials.VARIABLE, "")
                    .isBlank();
            return token ? Optional.empty() : ClientCertificate.find(surroundings.environment());
        } catch (NoSuchFileException missing) {
            throw new UserError(
                    ExitCode.NOT_FOUND,
                    missing.getMessage() + ": there is no such file of a client certificate or key.");
        } catch (IOException useless) {
            throw new UserError(ExitCode.USAGE, String.valueOf(useless.getMessage()));
        }
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

    /** Where none is named, the node of this machine: by its socket if there is one, which a certificate cannot be used for. */
    private URI uri(Optional<ClientCertificate> presented, Surroundings surroundings) {
        String named = server != null ? server : surroundings.environment().getOrDefault("VIVARIUM_SERVER", "");
        if (named.isEmpty()) {
            return Optional.of(surroundings.home())
                    .filter(home -> presented.isEmpty())
                    .flatMap(LocalServer::listeningIn)
                    .orElseGet(() -> NodeAddress.parse(""));
        }
        URI address = NodeAddress.parse(named);
        if (presented.isPresent() && LocalServer.socketOf(address).isPresent()) {
            throw new UserError(
                    ExitCode.USAGE,
                    "A client certificate is presented in TLS, which " + address
                            + " does not have: name the node by its https URL, or present no certificate there.");
        }
        return address;
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
