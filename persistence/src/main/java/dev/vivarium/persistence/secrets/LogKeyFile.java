package dev.vivarium.persistence.secrets;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/** The file of a log's keys: outside of the store, readable by its owner only. */
public final class LogKeyFile {
    private static final int BYTES_MAX = 64 << 10;

    private LogKeyFile() {}

    /**
     * Reads the file.
     *
     * @throws IOException with a sentence for the operator, also when others may read it
     */
    public static LogKeys read(Path file) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (!DurableFiles.OWNER_ONLY.containsAll(permissions)) {
            throw new IOException("The key of the audit's log, " + file
                    + ", can be read by others than its owner: run chmod 600 on it.");
        }
        try {
            return LogKeys.parse(new String(DurableFiles.read(file, BYTES_MAX), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException damaged) {
            throw new IOException("The key of the audit's log, " + file + ", is damaged: " + damaged.getMessage());
        }
    }

    /** Creates the file with a new key, on disk when this returns. */
    public static void create(Path file, String name) throws IOException {
        DurableFiles.create(
                file, (LogKey.create(name).text() + "\n").getBytes(StandardCharsets.UTF_8), DurableFiles.OWNER_ONLY);
    }
}
