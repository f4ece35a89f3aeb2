package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Facts about processes from the files under /proc. */
public final class Kernel {
    /** USER_HZ: the unit in which the kernel reports times to programs, on every architecture that Java runs on. */
    private static final long TICKS_PER_SECOND = 100;

    private static final long NANOS_PER_TICK = 1_000_000_000 / TICKS_PER_SECOND;
    private static final Path PROC = Path.of("/proc");

    private Kernel() {}

    /** Processor time that a process has used, with all its threads. */
    public static Duration processorTime(long pid) throws IOException {
        return sum(stat(pid), 11);
    }

    /** The same of its children that have ended, and of theirs. */
    static Duration processorTimeOfEnded(long pid) throws IOException {
        return sum(stat(pid), 13);
    }

    /** Of two fields, in the mode of programs and in the kernel's. */
    private static Duration sum(String[] stat, int first) {
        return Duration.ofNanos((Long.parseLong(stat[first]) + Long.parseLong(stat[first + 1])) * NANOS_PER_TICK);
    }

    /**
     * When a process was started, by {@link System#nanoTime}. The kernel reports it in ticks of 10 ms, rounded down, so
     * it is up to 10 ms early and never late.
     *
     * @param bootNanos the result of {@link #boot}
     */
    static long startNanos(long pid, long bootNanos) throws IOException {
        return bootNanos + Long.parseLong(stat(pid)[19]) * NANOS_PER_TICK;
    }

    /** What {@link System#nanoTime} was when the machine started. Waits for the uptime's next tick, to be exact. */
    static long boot() throws IOException {
        long first = uptimeTicks();
        long ticks = first;
        while (ticks == first) {
            ticks = uptimeTicks();
        }
        return System.nanoTime() - ticks * NANOS_PER_TICK;
    }

    private static long uptimeTicks() throws IOException {
        String seconds = Files.readString(PROC.resolve("uptime")).split(" ", 2)[0];
        return Long.parseLong(seconds.replace(".", ""));
    }

    /** The fields after the program's name, which may contain blanks: the state is the first (proc(5), field 3). */
    private static String[] stat(long pid) throws IOException {
        String line = Files.readString(PROC.resolve(pid + "/stat"));
        return line.substring(line.lastIndexOf(')') + 2).split(" ");
    }

    /** The control group that counts the processes of a process's container. */
    static Path groupOfProcesses(long pid) throws IOException {
        for (String line : Files.readAllLines(PROC.resolve(pid + "/cgroup"))) {
            String[] parts = line.split(":", 3);
            Path root = Path.of("/sys/fs/cgroup").resolve(parts[1]);
            Path group = root.resolve(parts[2].substring(1));
            if ((parts[1].equals("pids") || parts[1].isEmpty()) && Files.isReadable(group.resolve("pids.current"))) {
                return group;
            }
        }
        throw new IOException("The control group of process " + pid
                + " is not to be seen. This benchmark needs a container engine on this machine.");
    }
}
