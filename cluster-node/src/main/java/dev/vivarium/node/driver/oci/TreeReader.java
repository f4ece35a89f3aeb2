package dev.vivarium.node.driver.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * Reads files of an unpacked image. Its names are untrusted: no link is followed, not even in the middle of a path, and only
 * plain files are opened, so that no read leaves the tree or waits for the other end of a pipe. Nothing else writes to the
 * tree, so a path stays what it was found to be.
 */
final class TreeReader {
    private TreeReader() {}

    /**
     * The beginning of a file; empty where the image has no plain file at the path, or has it behind a link.
     *
     * @param path relative to the tree, without links or dots of its own
     * @param bytesMax at most one byte more is read, which tells that the file is longer
     */
    static byte[] read(Path tree, Path path, int bytesMax) throws IOException {
        Path file = tree;
        for (Path part : path) {
            if (!Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
                return new byte[0];
            }
            file = file.resolve(part);
        }
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return new byte[0];
        }
        try (InputStream content = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            return content.readNBytes(bytesMax + 1);
        }
    }
}
