package dev.vivarium.persistence.embedded;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The permanent name of one installation of Vivarium, which distinguishes its sandboxes from others on the same engine.
 * Stored in the data directory of a node with an embedded store.
 *
 * @param id a ULID in lower case
 */
record Installation(String id) {
    private static final String FILE = "installation";
    private static final int FILE_BYTES_MAX = 64;
    private static final Pattern ID = Pattern.compile("[0-9a-z]{26}");
    private static final Set<PosixFilePermission> WORLD_READABLE = PosixFilePermissions.fromString("rw-r--r--");

    /**
     * The installation of the data directory; creates one for a new directory. The caller must have exclusive use of
     * the directory. The name is written atomically, since sandboxes labelled with half a name would have no owner.
     *
     * @throws StoreUnavailable with a sentence for the user when the name cannot be read or created
     */
    static Installation of(Path dataDirectory) {
        return of(dataDirectory, UlidCreator.getUlid().toLowerCase());
    }

    /** The installation of the data directory, which is this one for a new directory. */
    static Installation of(Path dataDirectory, String fresh) {
        Path file = dataDirectory.resolve(FILE);
        try {
            if (!Files.exists(file)) {
                DurableFiles.write(file, fresh.getBytes(StandardCharsets.US_ASCII), WORLD_READABLE);
            }
            String id = new String(DurableFiles.read(file, FILE_BYTES_MAX), StandardCharsets.US_ASCII).strip();
            if (!ID.matcher(id).matches()) {
                throw new StoreUnavailable("The file " + file
                        + " does not hold the name of an installation: restore it, or remove it together with all"
                        + " containers that carry the label dev.vivarium.installation.");
            }
            return new Installation(id);
        } catch (IOException failed) {
            throw new StoreUnavailable(
                    "The data directory " + dataDirectory + " cannot be used: " + failed.getMessage(), failed);
        }
    }
}
