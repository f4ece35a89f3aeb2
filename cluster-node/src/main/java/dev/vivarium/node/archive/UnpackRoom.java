package dev.vivarium.node.archive;

/**
 * The room for unpacking, or the part that was used.
 *
 * @param bytes the bytes of files' contents
 * @param files the number of files, folders and links
 */
public record UnpackRoom(long bytes, long files) {
    /** The remaining room after this use; never below zero. */
    public UnpackRoom minus(UnpackRoom taken) {
        return new UnpackRoom(Math.max(0, bytes - taken.bytes), Math.max(0, files - taken.files));
    }
}
