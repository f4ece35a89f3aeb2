package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The limits of one sandbox's control group that it gets while it runs: memory, without swap, and processes.
 *
 * @param memory the file with the limit of memory
 * @param memoryAndSwap the file with the limit of memory and swap together; empty in version 2, whose limit of swap alone stays 0,
 *     and where the kernel does not count swap
 * @param pids the file with the limit of processes
 */
public record GroupLimits(Path memory, Optional<Path> memoryAndSwap, Path pids) {
    /**
     * Finds the group of a process of this machine.
     *
     * @param proc the proc file system
     * @param mark must be part of the group's path
     * @return empty when the group is not visible here
     */
    public static Optional<GroupLimits> of(Path proc, long pid, String mark) {
        return GroupsOfProcess.of(proc, pid, mark)
                .flatMap(groups -> version1(groups).or(() -> version2(groups)));
    }

    private static Optional<GroupLimits> version1(GroupsOfProcess groups) {
        Optional<Path> memory = groups.version1("memory").filter(groups::isOfTheSandbox);
        Optional<Path> pids = groups.version1("pids");
        if (memory.isEmpty() || pids.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new GroupLimits(
                memory.get().resolve("memory.limit_in_bytes"),
                Optional.of(memory.get().resolve("memory.memsw.limit_in_bytes")).filter(Files::exists),
                pids.get().resolve("pids.max")));
    }

    private static Optional<GroupLimits> version2(GroupsOfProcess groups) {
        return groups.version2()
                .filter(groups::isOfTheSandbox)
                .filter(directory -> Files.exists(directory.resolve("memory.max")))
                .map(directory -> new GroupLimits(
                        directory.resolve("memory.max"), Optional.empty(), directory.resolve("pids.max")));
    }

    /**
     * Sets them.
     *
     * @throws IOException when the group is gone, or uses more memory already
     */
    public void set(long memoryBytes, long pidsMax) throws IOException {
        // The kernel refuses a limit of memory above that of memory and swap, at every moment.
        if (memoryAndSwap.isPresent() && memoryBytes > CgroupFormat.number(Files.readString(memory))) {
            write(memoryAndSwap.get(), memoryBytes);
            write(memory, memoryBytes);
        } else {
            write(memory, memoryBytes);
            if (memoryAndSwap.isPresent()) {
                write(memoryAndSwap.get(), memoryBytes);
            }
        }
        write(pids, pidsMax);
    }

    private static void write(Path file, long amount) throws IOException {
        try {
            Files.writeString(file, Long.toString(amount), StandardOpenOption.WRITE);
        } catch (NoSuchFileException gone) {
            throw new IOException("the control group is gone", gone);
        }
    }
}
