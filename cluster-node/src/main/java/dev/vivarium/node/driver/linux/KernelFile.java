package dev.vivarium.node.driver.linux;

import dev.vivarium.node.kernel.KernelText;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A small file that the kernel generates for each read, opened once and read from its beginning each time, at a tenth
 * of the cost of opening it again. Thread-safe.
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

    /** A larger file of statistics. */
    static KernelFile ofStatistics(Path path) {
        return new KernelFile(path, STATISTICS_BYTES_MAX);
    }

    /** The current content; fails when the file is gone. */
    String text() throws IOException {
        FileChannel open = open();
        if (open == null) {
            throw new NoSuchFileException(path.toString());
        }
        return KernelText.read(open, bytesMax);
    }

    /** The content as a number. */
    long number() throws IOException {
        return CgroupFormat.number(text());
    }

    /** The content as a number; zero when the kernel does not provide the file. */
    long numberIfThere() throws IOException {
        return open() == null ? 0 : number();
    }

    /** The number after a name in it; zero when the name is missing. */
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
