package dev.vivarium.node.driver.linux;

import dev.vivarium.node.kernel.KernelText;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * What the processes of one sandbox have written, to files or anything else, by the kernel's counts in /proc/PID/io. It shows an
 * agent at work that rewrites its files: neither their bytes nor their number change then, and little processor time is used.
 *
 * <p>The kernel adds the counts of a child that has ended to its parent's. Orphans are added to the guest, which is left out because
 * its own writes are for the node, and a child without a waiting parent is added nowhere, so the sum may decrease.
 */
public final class GroupWrites {
    /** Enough for a sign of work; a look at a process takes some ten microseconds. */
    private static final int PROCESSES_MAX = 256;

    /** Of the idle time, so that the signs are seen at a small cost. */
    private static final int LOOKS_IN_IDLE_TIME = 16;

    /** The size of a wake-up among the threads of a program, by an eventfd; by a pipe it is one byte. */
    private static final long WAKE_UP_BYTES = 8;

    private static final int READ_BYTES_MAX = 512;

    private final GroupProcesses group;
    private final long guest;
    private final long intervalNanos;
    private long bytes;
    private long lookedAtNanos;
    private boolean hasLooked;

    /**
     * @param guest the process that is not looked at
     * @param idle how long the agent may be idle
     */
    public GroupWrites(GroupProcesses group, long guest, Duration idle) {
        this.group = group;
        this.guest = guest;
        this.intervalNanos = idle.toNanos() / LOOKS_IN_IDLE_TIME;
    }

    /** The bytes so far, without wake-ups, as of a look that is not older than a part of the idle time. */
    public synchronized long bytes(long nowNanos) {
        if (!hasLooked || nowNanos - lookedAtNanos >= intervalNanos) {
            hasLooked = true;
            lookedAtNanos = nowNanos;
            bytes = look();
        }
        return bytes;
    }

    private long look() {
        try {
            return group.pids().stream()
                    .filter(pid -> pid != guest)
                    .limit(PROCESSES_MAX)
                    .mapToLong(this::writtenBy)
                    .sum();
        } catch (IOException gone) {
            return bytes;
        }
    }

    private long writtenBy(long pid) {
        try {
            List<String> counts = KernelText.read(group.proc().resolve(pid + "/io"), READ_BYTES_MAX)
                    .lines()
                    .toList();
            return Math.max(0, count(counts, "wchar: ") - WAKE_UP_BYTES * count(counts, "syscw: "));
        } catch (IOException ended) {
            // Or not this node's to see.
            return 0;
        }
    }

    private static long count(List<String> counts, String name) {
        return counts.stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> CgroupFormat.number(line.substring(name.length())))
                .findFirst()
                .orElse(0);
    }
}
