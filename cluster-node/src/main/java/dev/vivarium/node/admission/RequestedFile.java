package dev.vivarium.node.admission;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.FileRef;

/** A file as a client asked for it. */
sealed interface RequestedFile {
    FileMode mode();

    /** Its content came with the submission. */
    record Inline(FileMode mode, Blob content) implements RequestedFile {
        FileRef reference() {
            return new FileRef(mode, content.length(), Digest.of(content));
        }
    }

    /**
     * Its content was uploaded before.
     *
     * @param field how findings call it
     */
    record Uploaded(FileMode mode, Digest digest, String field) implements RequestedFile {}
}
