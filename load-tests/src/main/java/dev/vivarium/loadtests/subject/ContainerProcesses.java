package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The processes of one container, by the kernel's list of its control group: whoever made them, and however they were
 * detached since. Not safe for use by several threads.
 */
final class ContainerProcesses implements Closeable {
    private static final int LIST_BYTES_MAX = 4096;

    private final FileChannel list;
    private final long ignored;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(LIST_BYTES_MAX);

    /**
     * @param first the container's first process
     * @param ignored a process that does not count; 0 for none
     */
    ContainerProcesses(long first, long ignored) throws IOException {
        // Kept open: to look is then one system call, which matters to a machine that is being measured.
        this.list = FileChannel.open(Kernel.listOfProcesses(first));
        this.ignored = ignored;
    }

    /** Those that live now; dead ones that nobody has reaped are not among them. */
    List<Long> alive() {
        buffer.clear();
        try {
            list.read(buffer, 0);
        } catch (IOException groupGone) {
            return List.of();
        }
        List<Long> pids = new ArrayList<>();
        StandardCharsets.US_ASCII
                .decode(buffer.flip())
                .toString()
                .lines()
                .map(Long::parseLong)
                .filter(pid -> pid != ignored)
                .forEach(pids::add);
        return pids;
    }

    @Override
    public void close() throws IOException {
        list.close();
    }
}
