package dev.vivarium.node.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Reads short files that the kernel generates, each in a single read: of a setting, the kernel returns the value to the
 * first read only, and two reads of a statistic could be of two moments.
 */
public final class KernelText {
    private KernelText() {}

    /** The beginning of the file, up to a number of bytes. */
    public static String read(Path file, int bytesMax) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            return read(channel, bytesMax);
        }
    }

    /** The same, for a file that is kept open. */
    public static String read(FileChannel file, int bytesMax) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(bytesMax);
        file.read(bytes, 0);
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    }
}
