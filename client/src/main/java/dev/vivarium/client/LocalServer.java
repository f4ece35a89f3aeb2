package dev.vivarium.client;

import java.nio.file.Path;

/** The node of this machine, as its users reach it: at a Unix domain socket. */
public final class LocalServer {
    private LocalServer() {}

    /** Where a node has its socket, unless its configuration says otherwise. */
    public static Path socketIn(Path home) {
        return home.resolve("socket").resolve("api.sock");
    }
}
