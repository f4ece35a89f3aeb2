package dev.vivarium.node.driver.linux;

import dev.vivarium.node.clock.NodeClock;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory of file locks, which no control group counts and no process limit bounds: an agent can hold millions on one
 * file. The machine's total is one small file to read; only when it exceeds what ordinary programs need is the list of
 * locks read, to attribute them. The kernel walks that list again for each page that is read, which takes seconds with
 * a million locks, so only its beginning is read and taken as representative. Thread-safe.
 */
public final class FileLocks {
    private static final Logger LOG = LoggerFactory.getLogger(FileLocks.class);
    /** The size of the kernel's struct file_lock (Linux 6.18). */
    private static final long LOCK_BYTES = 192;
    /** 6 MiB; below that the list is not read. */
    static final long WORTH_A_LOOK = 32_768;

    /** Takes some 10 ms to read. */
    static final int LINES_MAX = 8192;

    private static final long FRESH_NANOS = Duration.ofMillis(200).toNanos();
    private static final String WAITING = "->";
    private static final int OWNER = 4;

    private final Path count;
    private final Path list;
    private final LongSupplier nanos;
    private Owners owners = new Owners(Map.of(), 0);
    private long lookedNanos;
    private boolean looked;

    /** For this machine. */
    public FileLocks(NodeClock clock) {
        this(Path.of("/sys/kernel/slab/file_lock_cache/objects"), Path.of("/proc/locks"), clock::nanos);
    }

    /**
     * @param count begins with the number of locks, as the kernel's slab allocator reports it to root
     * @param list /proc/locks
     */
    FileLocks(Path count, Path list, LongSupplier nanos) {
        this.count = count;
        this.list = list;
        this.nanos = nanos;
    }

    /** Memory of the locks of a group's processes, in bytes; zero when there are few, or when it cannot be read. */
    public long bytes(GroupProcesses group) {
        try {
            long all = CgroupFormat.number(
                    Files.readString(count, StandardCharsets.US_ASCII).split("\\s", 2)[0]);
            return all < WORTH_A_LOOK ? 0 : owners().of(group.pids(), all) * LOCK_BYTES;
        } catch (IOException untold) {
            LOG.debug("File locks are not counted: {}", untold.toString());
            return 0;
        }
    }

    /**
     * The owners of the locks that were read.
     *
     * @param locks the number of locks by process
     * @param read the number of locks read in all
     */
    private record Owners(Map<Long, Long> locks, int read) {
        /** The locks of these processes, extrapolated to all of the machine's when not all were read. */
        long of(List<Long> processes, long all) {
            long theirs = processes.stream()
                    .mapToLong(pid -> locks.getOrDefault(pid, 0L))
                    .sum();
            return read < LINES_MAX ? theirs : theirs * all / read;
        }
    }

    private synchronized Owners owners() throws IOException {
        long now = nanos.getAsLong();
        if (!looked || now - lookedNanos > FRESH_NANOS) {
            owners = read();
            // Counted from the end of reading: a long list takes time, and must not be due again immediately.
            lookedNanos = nanos.getAsLong();
            looked = true;
        }
        return owners;
    }

    private Owners read() throws IOException {
        Map<Long, Long> locks = new HashMap<>();
        int read = 0;
        try (BufferedReader lines = Files.newBufferedReader(list, StandardCharsets.US_ASCII)) {
            for (String line = lines.readLine(); line != null && read < LINES_MAX; line = lines.readLine()) {
                read++;
                String[] words = line.split("\\s+", OWNER + 3);
                int at = words.length > 1 && words[1].equals(WAITING) ? OWNER + 1 : OWNER;
                if (words.length > at) {
                    locks.merge(CgroupFormat.number(words[at]), 1L, Long::sum);
                }
            }
        }
        return new Owners(Map.copyOf(locks), read);
    }
}
