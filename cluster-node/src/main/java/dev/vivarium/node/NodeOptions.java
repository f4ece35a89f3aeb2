package dev.vivarium.node;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What a node is started with. Everything else comes from its configuration.
 *
 * @param host the address that its API listens on, a name or a number
 * @param port the port of its API; 0 for any free one
 * @param dataDir where it keeps what must last; made when missing
 * @param localToken the file of the token of this machine's operator; made when missing
 * @param localSocket the socket for users of this machine, unless the configuration names another one; made anew
 * @param config a configuration file that goes before the built-in one, in HOCON
 * @param overrides configuration that goes before all other, by its full key, such as {@code vivarium.limits.pids}
 */
public record NodeOptions(
        String host,
        int port,
        Path dataDir,
        Path localToken,
        Path localSocket,
        Optional<Path> config,
        Map<String, String> overrides) {
    public NodeOptions {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("A port is a number from 0 to 65535.");
        }
        overrides = Map.copyOf(overrides);
    }
}
