package dev.vivarium.node.driver.linux;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A small file that the kernel writes anew for each reader, opened once and read from its beginning again and again: a
 * tenth of the cost of opening it each time. Safe for use by any thread.
 */
final class KernelFile implements Closeable {
    /** A number, or a few lines. */
    private static final int BYTES_MAX = 1024;
    /** memory.stat has some 50 lines. */
    private static final int STATISTICS_BYTES_MAX = 8 * 1024;

    private final Path path;
    private final int bytesMax;
    private @Nullable FileChannel channel;
    private State state = State.UNOPENED;

    private enum State {
        UNOPENED,
        OPEN,
        ABSENT,
        CLOSED
    }

    KernelFile(Path path) {
        this(path, BYTES_MAX);
    }

    private KernelFile(Path path, int bytesMax) {
        this.path = path;
        this.bytesMax = bytesMax;
    }

    /** One that is longer than the others. */
    static KernelFile ofStatistics(Path path) {
        return new KernelFile(path, STATISTICS_BYTES_MAX);
    }

    /** What is in it now; fails when it is gone, or never was. */
    String text() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(bytesMax);
        FileChannel open = open();
        if (open == null) {
            throw new NoSuchFileException(path.toString());
        }
        open.read(bytes, 0);
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    }

    /** The number in it. */
    long number() throws IOException {
        return CgroupFormat.number(text());
    }

    /** The number in it, or zero where the kernel was built without the file. */
    long numberIfThere() throws IOException {
        return open() == null ? 0 : number();
    }

    /** The number behind a name in it, or zero where there is none. */
    long keyed(String name) throws IOException {
        return CgroupFormat.keyed(text(), name);
    }

    private synchronized @Nullable FileChannel open() throws IOException {
        if (state == State.UNOPENED) {
            try {
                channel = FileChannel.open(path);
                state = State.OPEN;
            } catch (NoSuchFileException unsupported) {
                state = State.ABSENT;
            }
        }
        if (state == State.CLOSED) {
            throw new IOException(path + " is no longer read.");
        }
        return channel;
    }

    @Override
    public synchronized void close() throws IOException {
        state = State.CLOSED;
        if (channel != null) {
            channel.close();
        }
    }
}
