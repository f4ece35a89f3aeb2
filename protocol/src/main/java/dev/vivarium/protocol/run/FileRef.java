package dev.vivarium.protocol.run;

/**
 * A file of a run: what is known of it beside its content, which is a blob of the store.
 *
 * @param mode its permissions
 * @param size the length of its content in bytes
 * @param digest the digest of its content, by which the store finds it
 */
public record FileRef(FileMode mode, long size, Digest digest) {
    public FileRef {
        if (size < 0) {
            throw new IllegalArgumentException("A file's size cannot be negative.");
        }
    }

    /** The reference to a content that came without a mode. */
    public static FileRef of(Blob content) {
        return new FileRef(FileMode.ofContent(content), content.length(), Digest.of(content));
    }
}
