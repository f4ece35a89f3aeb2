package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.durable.DurableFiles;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folder of the server's Unix socket, which its account alone, and root, can enter. It is below the server's other
 * files, or in the folder for temporary files where that path would be longer than a socket's may be.
 *
 * @param path the folder
 * @param temporary whether it is to be removed with the server
 */
record ServerSocketFolder(Path path, boolean temporary) {
    /** The kernel's bound on a socket's path (unix(7): 108 bytes with the final zero). */
    private static final int PATH_BYTES_MAX = 107;

    /** A new and empty one. */
    static ServerSocketFolder create(Path base, ServerAccount account) throws IOException {
        Path below = base.resolve("socket");
        Trees.delete(below);
        boolean temporary = bytes(socketIn(below)) > PATH_BYTES_MAX;
        Path folder = temporary ? Files.createTempDirectory("vivarium-") : below;
        if (!temporary) {
            DurableFiles.createPrivateDirectory(folder);
        }
        account.own(folder);
        return new ServerSocketFolder(folder, temporary);
    }

    /** That of a server that runs, where it is below its other files. */
    static Optional<ServerSocketFolder> ofRunning(Path base) {
        ServerSocketFolder folder = new ServerSocketFolder(base.resolve("socket"), false);
        return Files.exists(socketIn(folder.path)) ? Optional.of(folder) : Optional.empty();
    }

    /** The server's address for the JDBC driver. */
    String url() {
        return "jdbc:postgresql://localhost/postgres"
                + "?socketFactory=org.newsclub.net.unix.AFUNIXSocketFactory$FactoryArg&socketFactoryArg="
                + URLEncoder.encode(socketIn(path).toString(), StandardCharsets.UTF_8);
    }

    void remove() throws IOException {
        if (temporary) {
            Trees.delete(path);
        }
    }

    private static Path socketIn(Path folder) {
        return folder.resolve(".s.PGSQL." + ServerSettings.PORT);
    }

    private static int bytes(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }
}
