package dev.vivarium.loadtests.subject;

import dev.vivarium.trials.outside.OciRecords;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The processes of one container, as the kernel counts them in its control group: by whatever process they were
 * started, and however detached. Dead ones count until they are reaped. Not thread-safe.
 */
public final class ContainerProcesses implements Closeable {
    private static final int NUMBER_BYTES_MAX = 32;

    private final Path group;
    private final FileChannel current;
    private final long ignored;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(NUMBER_BYTES_MAX);

    /**
     * @param first the container's first process
     * @param ignored a process to exclude; 0 for none
     */
    ContainerProcesses(long first, long ignored) throws IOException {
        this(Kernel.groupOfProcesses(first), ignored);
    }

    private ContainerProcesses(Path group, long ignored) throws IOException {
        this.group = group;
        this.ignored = ignored;
        // Kept open, so that a count is one system call, which matters on a machine under measurement. The list of
        // processes would not do: version 1 of control groups serves a repeated read from a cache.
        this.current = FileChannel.open(group.resolve("pids.current"));
    }

    /** Those of a running container. */
    public static ContainerProcesses of(EngineApi engine, String container) throws IOException {
        return new ContainerProcesses(engine.firstProcess(container), 0);
    }

    /** Those of a running sandbox of the driver oci. */
    public static ContainerProcesses of(OciRecords records, OciRecords.Claimed sandbox) throws IOException {
        return new ContainerProcesses(records.group(sandbox), 0);
    }

    /** The current number. */
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

    /** The live ones. */
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
