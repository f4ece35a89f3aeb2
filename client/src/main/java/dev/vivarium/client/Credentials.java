package dev.vivarium.client;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What a client proves itself with. Nodes go by the token alone if there is one.
 *
 * @param token a token of the API
 * @param certificate a certificate, for a node with TLS
 */
public record Credentials(Optional<String> token, Optional<ClientCertificate> certificate) {
    /** Proves nothing: enough for a node's health. */
    public static final Credentials NONE = new Credentials(Optional.empty(), Optional.empty());

    /** The variable that names a token. */
    public static final String VARIABLE = "VIVARIUM_TOKEN";

    private static final int FILE_BYTES_MAX = 4_096;

    /** A token that the caller has. */
    public static Credentials of(String token) {
        return new Credentials(Optional.of(token.strip()), Optional.empty());
    }

    /** A certificate that the caller has, and no token. */
    public static Credentials of(ClientCertificate certificate) {
        return new Credentials(Optional.empty(), Optional.of(certificate));
    }

    /**
     * The token of {@value #VARIABLE}; where there is none, and the node is on this machine, the one of its operator, which
     * the node keeps in its home. That one is never sent to another machine.
     *
     * @param home the home of this machine's node
     */
    public static Credentials find(URI server, Map<String, String> environment, Path home) {
        String named = environment.getOrDefault(VARIABLE, "").strip();
        if (!named.isEmpty()) {
            return of(named);
        }
        return isOnThisMachine(server) ? in(fileIn(home)) : NONE;
    }

    /** The same for this process and its home: {@code $VIVARIUM_HOME}, else {@code .vivarium} beside the launcher. */
    public static Credentials ofProcess(URI server) {
        String home = System.getenv().getOrDefault("VIVARIUM_HOME", "");
        Path root = Path.of(System.getProperty("vivarium.root", ""));
        return find(server, System.getenv(), home.isEmpty() ? root.resolve(".vivarium") : Path.of(home));
    }

    /** The token in a file; nothing where this process cannot read it. */
    public static Credentials in(Path file) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                return NONE;
            }
            String token = Files.readString(file, StandardCharsets.US_ASCII).strip();
            return token.isEmpty() ? NONE : of(token);
        } catch (IOException unreadable) {
            // Not there, or another user's: the node says what to do.
            return NONE;
        }
    }

    /** Where a node keeps the token of its machine's operator. */
    public static Path fileIn(Path home) {
        return home.resolve("token");
    }

    private static boolean isOnThisMachine(URI server) {
        String host = Optional.ofNullable(server.getHost()).orElse("");
        return host.equals("localhost") || host.equals("[::1]") || host.matches("127(\\.\\d{1,3}){3}");
    }

    /** Without the token and the key. */
    @Override
    public String toString() {
        String certified = certificate.isEmpty() ? "none" : "a certificate";
        return "Credentials[" + (token.isEmpty() ? certified : "a token") + "]";
    }
}
