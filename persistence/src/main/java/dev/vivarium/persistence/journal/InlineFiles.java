package dev.vivarium.persistence.journal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileRef;
import java.io.IOException;
import java.util.Optional;

/** File contents in submissions written before blobs existed. */
public final class InlineFiles {
    private static final String SUBMISSION = "RunSubmitted";

    /** Since this version a submission refers to its files' contents. */
    static final int REFERENCES_SINCE = 5;

    private InlineFiles() {}

    /** The content of a file, if the entry is a submission that includes it. */
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
            return content.isTextual() ? Optional.of(bytes(content)) : Optional.empty();
        } catch (IOException | IllegalArgumentException damaged) {
            throw new UnreadableEntry(
                    UnreadableEntry.Reason.DAMAGED, new EventShape(entry.type(), entry.version()), damaged);
        }
    }

    /**
     * Replaces contents by references, and brings the digest of the client's request into the current form.
     *
     * @throws IllegalArgumentException when bytes are missing where they are expected
     */
    static ObjectNode toReferences(ObjectNode submission) {
        byte[] sent = bytes(submission.path("submission")).toByteArray();
        submission.put("submission", Digest.ofDigestBytes(sent).hex());
        if (submission.path("spec").path("files") instanceof ObjectNode files) {
            files.properties()
                    .forEach(file -> file.setValue(JournalJson.MAPPER.valueToTree(FileRef.of(bytes(file.getValue())))));
        }
        return submission;
    }

    private static Blob bytes(JsonNode base64) {
        try {
            byte[] bytes = base64.isTextual() ? base64.binaryValue() : null;
            if (bytes != null) {
                return Blob.of(bytes);
            }
        } catch (IOException damaged) {
            throw new IllegalArgumentException("is no base64", damaged);
        }
        throw new IllegalArgumentException("is no base64");
    }
}
