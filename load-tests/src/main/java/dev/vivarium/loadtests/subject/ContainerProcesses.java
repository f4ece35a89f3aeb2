package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The processes of one container, as the kernel counts them in its control group: whoever made them, and however they
 * were detached since. Dead ones count until somebody has reaped them. Not safe for use by several threads.
 */
final class ContainerProcesses implements Closeable {
    private static final int NUMBER_BYTES_MAX = 32;

    private final Path group;
    private final FileChannel current;
    private final long ignored;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(NUMBER_BYTES_MAX);

    /**
     * @param first the container's first process
     * @param ignored a process that does not count; 0 for none
     */
    ContainerProcesses(long first, long ignored) throws IOException {
        this.group = Kernel.groupOfProcesses(first);
        this.ignored = ignored;
        // Kept open: to look is then one system call, which matters to a machine that is being measured. The list of
        // processes would not do: version 1 of control groups shows a reader who comes back soon the list of before.
        this.current = FileChannel.open(group.resolve("pids.current"));
    }

    /** How many there are now. */
    int count() {
        buffer.clear();
        try {
            current.read(buffer, 0);
        } catch (IOException groupGone) {
            return 0;
        }
        String number = StandardCharsets.US_ASCII.decode(buffer.flip()).toString();
        return Integer.parseInt(number.strip()) - (ignored == 0 ? 0 : 1);
    }

    /** Those that live now. */
    List<Long> pids() throws IOException {
        return Files.readAllLines(group.resolve("cgroup.procs")).stream()
                .map(Long::parseLong)
                .filter(pid -> pid != ignored)
                .toList();
    }

    @Override
    public void close() throws IOException {
        current.close();
    }
}
