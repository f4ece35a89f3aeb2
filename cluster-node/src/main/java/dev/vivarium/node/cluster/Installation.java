package dev.vivarium.node.cluster;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.persistence.durable.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Names one installation of Vivarium for ever, so that its sandboxes can be told from those of others on the same
 * engine. Kept in the data directory.
 *
 * @param id a ULID in lower case
 */
record Installation(String id) {
    private static final String FILE = "installation";

    /** The installation whose data are in the directory, which exists; a new one when there is none yet. */
    static Installation of(Path dataDirectory) {
        Path file = dataDirectory.resolve(FILE);
        try {
            if (!Files.exists(file)) {
                String id = UlidCreator.getUlid().toString().toLowerCase(Locale.ROOT);
                DurableFiles.write(file, id.getBytes(StandardCharsets.US_ASCII), DurableFiles.OWNER_ONLY);
            }
            return new Installation(
                    Files.readString(file, StandardCharsets.US_ASCII).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "The data directory " + dataDirectory + " cannot be used: " + e.getMessage(), e);
        }
    }
}
