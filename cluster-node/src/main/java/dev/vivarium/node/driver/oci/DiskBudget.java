package dev.vivarium.node.driver.oci;

import java.io.IOException;
import java.nio.file.FileStore;

/**
 * What one image may take of a disk: bytes and files by the node's limits, and never the disk's last bytes. Not
 * thread-safe.
 */
final class DiskBudget {
    /** What a file takes of common file systems besides its content. */
    private static final long FILE_BYTES = 4096;

    private static final long LOOK_EVERY_BYTES = 32L << 20;

    private final Limits limits;
    private final FileStore disk;
    private long entries;
    private long bytes;
    private long lookAt;

    /**
     * The limits of an unpacked image.
     *
     * @param bytesMax its size, with 4 KiB for each file
     * @param entriesMax how many files, folders and links it may have
     * @param freeMin how many bytes must stay free on the disk
     */
    record Limits(long bytesMax, long entriesMax, long freeMin) {}

    DiskBudget(Limits limits, FileStore disk) {
        this.limits = limits;
        this.disk = disk;
    }

    /** Counts a file, folder or link. */
    void takeEntry() throws IOException {
        entries++;
        if (entries > limits.entriesMax()) {
            throw new TreeWriter.MalformedImageException("it has more than " + limits.entriesMax()
                    + " files, folders and links (vivarium.driver.oci.image-entries-max)");
        }
        takeBytes(FILE_BYTES);
    }

    /** Counts bytes before they are written. */
    void takeBytes(long count) throws IOException {
        bytes += count;
        if (bytes > limits.bytesMax()) {
            throw new TreeWriter.MalformedImageException("it has more than " + limits.bytesMax()
                    + " bytes, each file counted with " + FILE_BYTES + " more (vivarium.driver.oci.image-bytes-max)");
        }
        if (bytes >= lookAt) {
            lookAt = bytes + LOOK_EVERY_BYTES;
            long free = disk.getUsableSpace();
            if (free < limits.freeMin()) {
                throw new TreeWriter.DiskException(new IOException("its disk has " + free
                        + " bytes left, and must keep " + limits.freeMin() + " (vivarium.driver.oci.free-min)."));
            }
        }
    }
}
