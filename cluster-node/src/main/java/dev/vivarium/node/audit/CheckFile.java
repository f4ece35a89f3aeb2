package dev.vivarium.node.audit;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.protocol.api.AuditCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The result of the last check of the log, in a file of the node.
 *
 * @param file need not exist
 */
public record CheckFile(Path file) {
    private static final int BYTES_MAX = 1 << 20;

    /** The result; empty when there is none. */
    Optional<AuditCheck.Report> last() throws IOException {
        return Files.exists(file)
                ? Optional.of(JournalJson.MAPPER.readValue(DurableFiles.read(file, BYTES_MAX), AuditCheck.Report.class))
                : Optional.empty();
    }

    /** Replaces it, durably once this returns. */
    void keep(AuditCheck.Report report) throws IOException {
        DurableFiles.write(file, JournalJson.MAPPER.writeValueAsBytes(report), DurableFiles.OWNER_ONLY);
    }
}
