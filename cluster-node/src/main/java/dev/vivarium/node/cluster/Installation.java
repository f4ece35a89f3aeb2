package dev.vivarium.node.cluster;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * Names one installation of Vivarium for ever, so that its sandboxes can be told from those of others on the same
 * engine. Kept in the data directory.
 *
 * @param id a ULID in lower case
 */
record Installation(String id) {
    private static final String FILE = "installation";

    /** The installation whose data are in the directory; a new one when it is empty. */
    static Installation of(Path dataDirectory) throws NodeStartException {
        Path file = dataDirectory.resolve(FILE);
        try {
            Files.createDirectories(dataDirectory);
            if (!Files.exists(file)) {
                String id = UlidCreator.getUlid().toString().toLowerCase(Locale.ROOT);
                Files.writeString(file, id, StandardCharsets.US_ASCII, StandardOpenOption.CREATE_NEW);
            }
            return new Installation(
                    Files.readString(file, StandardCharsets.US_ASCII).strip());
        } catch (IOException e) {
            throw new NodeStartException(
                    "The data directory " + dataDirectory + " cannot be made or written to. Choose one of your own with"
                            + " --data.",
                    e);
        }
    }
}
