package dev.vivarium.client;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Optional;

/** The node of this machine, as its users reach it: at a Unix domain socket, with an address such as {@code unix:/home/api.sock}. */
public final class LocalServer {
    private static final String SCHEME = "unix";

    private LocalServer() {}

    /** Where a node has its socket, unless its configuration says otherwise. */
    public static Path socketIn(Path home) {
        return home.resolve("socket").resolve("api.sock");
    }

    /**
     * The address of the node with this home.
     *
     * @return empty if nothing listens there that this process may connect to
     */
    public static Optional<URI> listeningIn(Path home) {
        Path socket = socketIn(home).toAbsolutePath();
        try (SocketChannel connected = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return connected.isConnected() ? Optional.of(at(socket)) : Optional.empty();
        } catch (IOException | UnsupportedOperationException unreachable) {
            // No node, another user's, or a path that is too long for a socket: then the node is at its port only.
            return Optional.empty();
        }
    }

    /** The address of a socket. */
    public static URI at(Path socket) {
        try {
            return new URI(SCHEME, null, socket.toAbsolutePath().toString(), null);
        } catch (URISyntaxException impossible) {
            throw new IllegalArgumentException("An absolute path has an address.", impossible);
        }
    }

    /** The socket that an address names; empty if it is one of the network. */
    public static Optional<Path> socketOf(URI server) {
        return SCHEME.equals(server.getScheme()) ? Optional.of(Path.of(server.getPath())) : Optional.empty();
    }
}
