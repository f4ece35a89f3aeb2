package dev.vivarium.protocol.run;

/**
 * A file that was kept when a run ended. Its content is a blob of the run's tenant.
 *
 * @param path relative to the workspace
 * @param mode its permissions
 * @param size the size of its content in bytes
 * @param digest the digest of its content
 */
public record Artifact(String path, FileMode mode, long size, Digest digest) {
    /** The maximum of files kept of one run. */
    public static final int FILES_MAX = 1_000;

    /** The maximum length of their paths together, since one event names all. */
    public static final int PATH_BYTES_MAX = 128 << 10;
}
