package dev.vivarium.node.placement;

import dev.vivarium.node.kernel.KernelText;
import dev.vivarium.node.kernel.OpenFileTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The resources of a machine that its sandboxes share: memory, and the kernel's tables of processes and
 * threads and of open files.
 *
 * @param memoryBytes the total memory
 * @param processes the largest number of processes and threads that the kernel allows
 * @param openFiles how many more files could be open
 */
public record Machine(long memoryBytes, long processes, long openFiles) {
    /** An unknown machine, such as that of a remote engine. */
    public static final Machine UNKNOWN = new Machine(Capacity.UNLIMITED, Capacity.UNLIMITED, Capacity.UNLIMITED);

    /** The first line of meminfo, or a number. */
    private static final int READ_BYTES_MAX = 4096;

    private static final Pattern MEMORY = Pattern.compile("(?m)^MemTotal: +([0-9]+) kB$");

    /**
     * Reads a machine's proc file system.
     *
     * @return with {@link Capacity#UNLIMITED} for what cannot be read
     */
    public static Machine of(Path proc) {
        Matcher memory = MEMORY.matcher(text(proc.resolve("meminfo")));
        long memoryBytes = memory.find() ? Long.parseLong(memory.group(1)) << 10 : Capacity.UNLIMITED;
        return new Machine(
                memoryBytes,
                Math.min(number(proc.resolve("sys/kernel/pid_max")), number(proc.resolve("sys/kernel/threads-max"))),
                OpenFileTable.of(proc)
                        .filter(table -> table.isBoundFor(memoryBytes))
                        .map(OpenFileTable::left)
                        .orElse(Capacity.UNLIMITED));
    }

    /**
     * The share of sandboxes, less a reserve for the node and the rest of the machine. The reserve is at most half of a
     * small machine, so that something is left.
     */
    public Machine without(long reservedBytes, long reservedProcesses, long reservedOpenFiles) {
        return new Machine(
                left(memoryBytes, reservedBytes),
                left(processes, reservedProcesses),
                left(openFiles, reservedOpenFiles));
    }

    private static long left(long all, long reserved) {
        return all == Capacity.UNLIMITED ? all : all - Math.min(reserved, all / 2);
    }

    private static long number(Path file) {
        try {
            return Long.parseLong(text(file).strip());
        } catch (NumberFormatException absent) {
            return Capacity.UNLIMITED;
        }
    }

    private static String text(Path file) {
        try {
            return KernelText.read(file, READ_BYTES_MAX);
        } catch (IOException absent) {
            return "";
        }
    }
}
