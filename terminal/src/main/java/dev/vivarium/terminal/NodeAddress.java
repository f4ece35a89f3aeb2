package dev.vivarium.terminal;

import dev.vivarium.client.LocalServer;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** The address of a node in users' notation. */
public final class NodeAddress {
    private static final String SOCKET = "unix:";

    /** The node if none is given. */
    public static final String DEFAULT = "http://127.0.0.1:8080";

    private NodeAddress() {}

    /**
     * Parses an address: of the network, whose scheme may be omitted, or {@code unix:} and the path of a socket.
     *
     * @param text the user's input; an empty text means {@link #DEFAULT}
     * @throws UserError if it is not a valid address
     */
    public static URI parse(String text) {
        return text.startsWith(SOCKET) ? socket(text) : ofNetwork(text);
    }

    private static URI socket(String text) {
        String path = text.substring(SOCKET.length());
        try {
            if (path.startsWith("/")) {
                return LocalServer.at(Path.of(path).normalize());
            }
        } catch (InvalidPathException malformed) {
            throw refusal(text);
        }
        throw new UserError(
                ExitCode.USAGE,
                "'" + text + "' is not the address of a socket; it must be like unix:/path/to/api.sock.");
    }

    private static URI ofNetwork(String text) {
        String whole = text.isEmpty() ? DEFAULT : text.contains("://") ? text : "http://" + text;
        try {
            URI uri = URI.create(whole);
            boolean spoken = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (spoken && uri.getHost() != null && uri.getRawQuery() == null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (IllegalArgumentException malformed) {
            throw refusal(whole);
        }
        throw refusal(whole);
    }

    private static UserError refusal(String text) {
        return new UserError(
                ExitCode.USAGE,
                "'" + text + "' is not the address of a node; it must be like " + DEFAULT
                        + " or unix:/path/to/api.sock.");
    }
}
