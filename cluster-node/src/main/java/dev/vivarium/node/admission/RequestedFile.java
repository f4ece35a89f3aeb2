package dev.vivarium.node.admission;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileForm;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.FileRef;

/** A file as the client specified it. */
sealed interface RequestedFile {
    FileMode mode();

    Digest digest();

    FileForm form();

    /** The content is part of the submission. */
    record Inline(FileMode mode, Blob content) implements RequestedFile {
        @Override
        public Digest digest() {
            return Digest.of(content);
        }

        @Override
        public FileForm form() {
            return FileForm.FILE;
        }

        FileRef reference() {
            return new FileRef(mode, content.length(), digest(), FileForm.FILE);
        }
    }

    /**
     * Its content was uploaded before.
     *
     * @param field how findings call it
     */
    record Uploaded(FileMode mode, Digest digest, FileForm form, String field) implements RequestedFile {}
}
