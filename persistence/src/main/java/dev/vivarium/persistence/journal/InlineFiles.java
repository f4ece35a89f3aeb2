package dev.vivarium.persistence.journal;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.run.Blob;
import java.io.IOException;
import java.util.Optional;

/** The contents of files in submissions that were written before there were blobs. */
public final class InlineFiles {
    private static final String SUBMISSION = "RunSubmitted";

    /** From this version on a submission refers to its contents. */
    static final int REFERENCES_SINCE = 5;

    private InlineFiles() {}

    /** The content of a file, if the entry is a submission that holds it. */
    public static Optional<Blob> content(JournalEntry entry, String path) {
        if (!entry.type().equals(SUBMISSION) || entry.version() >= REFERENCES_SINCE) {
            return Optional.empty();
        }
        try {
            JsonNode content = JournalJson.MAPPER
                    .readTree(entry.payload().toByteArray())
                    .path("spec")
                    .path("files")
                    .path(path);
            return content.isTextual() ? Optional.of(Blob.of(content.binaryValue())) : Optional.empty();
        } catch (IOException damaged) {
            throw new UnreadableEntry(
                    UnreadableEntry.Reason.DAMAGED, new EventShape(entry.type(), entry.version()), damaged);
        }
    }
}
