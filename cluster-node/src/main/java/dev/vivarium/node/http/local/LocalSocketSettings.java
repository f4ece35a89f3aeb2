package dev.vivarium.node.http.local;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The block {@code vivarium.http.local-socket} of the configuration; see reference.conf.
 *
 * @param path where the socket is; empty for none
 * @param maxConnections concurrent connections
 */
public record LocalSocketSettings(Optional<Path> path, int maxConnections) {
    private static final String NONE = "off";

    /**
     * Reads the settings.
     *
     * @param socket the block
     * @param usual where the socket is unless the block says so
     * @throws ConfigException when a key is missing or wrong
     */
    public static LocalSocketSettings from(Config socket, Path usual) {
        String path = socket.getString("path").strip();
        int maxConnections = socket.getInt("max-connections");
        if (maxConnections < 1) {
            throw new ConfigException.BadValue(
                    "vivarium.http.local-socket.max-connections",
                    "must be at least 1; vivarium.http.local-socket.path = off is for a node without a socket");
        }
        Path chosen = path.isEmpty() ? usual : Path.of(path);
        return new LocalSocketSettings(
                path.equals(NONE) ? Optional.empty() : Optional.of(chosen.toAbsolutePath()), maxConnections);
    }
}
