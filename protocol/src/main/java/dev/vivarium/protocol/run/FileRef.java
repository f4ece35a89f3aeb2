package dev.vivarium.protocol.run;

/**
 * A file of a run: its metadata and a reference to its content, a blob in the store.
 *
 * @param mode its permissions
 * @param size the size of its content in bytes
 * @param digest the digest of its content, by which the store finds it
 * @param form how the content is used; an archive's mode is ignored
 */
public record FileRef(FileMode mode, long size, Digest digest, FileForm form) {
    public FileRef {
        if (size < 0) {
            throw new IllegalArgumentException("A file's size cannot be negative.");
        }
    }

    /** The reference to a content given without a mode. */
    public static FileRef of(Blob content) {
        return new FileRef(FileMode.ofContent(content), content.length(), Digest.of(content), FileForm.FILE);
    }
}
