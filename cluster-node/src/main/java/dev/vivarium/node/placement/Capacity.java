package dev.vivarium.node.placement;

import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.stream.DoubleStream;

/**
 * What a node offers to runs, what they reserve of it, or what one run needs.
 *
 * @param runs how many runs
 * @param memoryBytes memory in bytes, including sandboxes' disks that are in memory too
 * @param millicores processors, in thousandths
 * @param processes processes and threads of the machine, or the numbers of such, of which its kernel has a table; 0 where they are
 *     not divided
 * @param openFiles open files of the machine, of which its kernel has a number too; 0 where they are not divided
 * @param diskBytes bytes of a disk, for sandboxes' disks that are too large for memory; 0 of a node that has none
 */
public record Capacity(long runs, long memoryBytes, long millicores, long processes, long openFiles, long diskBytes) {
    /** Nothing. */
    public static final Capacity NONE = new Capacity(0, 0, 0);

    /** The guest has one thread. */
    private static final long GUEST_PROCESSES = 1;

    /**
     * A process keeps its own number from being given out again, and those of its group and its session, whose leaders may have
     * ended: the kernel's table of numbers has them all, and a control group counts one process.
     */
    private static final long NUMBERS_PER_PROCESS = 3;

    /** What gVisor was seen to take of the host, as the driver's RuntimeOverhead has it, on few processors. */
    private static final long OWN_KERNEL_BYTES = 48L << 20;

    private static final long OWN_KERNEL_BYTES_PER_PID = 320L << 10;
    private static final long OWN_KERNEL_PROCESSES = 96;
    private static final long OWN_KERNEL_PROCESSES_PER_PID = 8;

    /** The kernel allows one open file for so much of a machine's memory, unless it is set otherwise (fs.file-max). */
    private static final long MEMORY_PER_OPEN_FILE_BYTES = 10L << 10;

    /** No limit. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    public Capacity {
        if (runs < 0 || memoryBytes < 0 || millicores < 0 || processes < 0 || openFiles < 0 || diskBytes < 0) {
            throw new IllegalArgumentException("A capacity is not negative.");
        }
    }

    /** Where processes and open files are not divided. */
    public Capacity(long runs, long memoryBytes, long millicores) {
        this(runs, memoryBytes, millicores, 0, 0);
    }

    /** Where all disks are in memory. */
    public Capacity(long runs, long memoryBytes, long millicores, long processes, long openFiles) {
        this(runs, memoryBytes, millicores, processes, openFiles, 0);
    }

    /**
     * The most that a run may use, its own kernel's overhead included, which is reserved for it.
     *
     * @param disksInMemory the largest disk that is in memory, in bytes
     */
    public static Capacity askedBy(Limits limits, Isolation isolation, long disksInMemory) {
        long pids = limits.get(Limit.PIDS);
        long disk = Limit.DISK.amountIn(limits);
        boolean isInMemory = disk <= disksInMemory;
        long memoryBytes = Limit.MEMORY.amountIn(limits) + (isInMemory ? disk : 0);
        long diskBytes = isInMemory ? 0 : disk;
        long openFiles = openFilesOf(memoryBytes, pids, limits.get(Limit.OPEN_FILES));
        return isolation.hasOwnKernel()
                ? new Capacity(
                        1,
                        memoryBytes + OWN_KERNEL_BYTES + OWN_KERNEL_BYTES_PER_PID * pids,
                        limits.get(Limit.CPU).millicores(),
                        OWN_KERNEL_PROCESSES + OWN_KERNEL_PROCESSES_PER_PID * pids,
                        openFiles,
                        diskBytes)
                : new Capacity(
                        1, memoryBytes, limits.get(Limit.CPU).millicores(), processesOf(pids), openFiles, diskBytes);
    }

    /** What so many processes take of the kernel's table of processes, at the most, with the guest. */
    public static long processesOf(long pids) {
        return NUMBERS_PER_PROCESS * pids + GUEST_PROCESSES;
    }

    /**
     * A share of the machine's open files by memory, as the kernel itself divides, but at least what one process may
     * have, and at most what all processes may have. It is what a run can count on; more is free to it until the table
     * is scarce.
     */
    public static long openFilesOf(long memoryBytes, long pids, long ofAProcess) {
        return Math.min(pids * ofAProcess, Math.max(ofAProcess, memoryBytes / MEMORY_PER_OPEN_FILE_BYTES));
    }

    public Capacity plus(Capacity other) {
        return new Capacity(
                sum(runs, other.runs),
                sum(memoryBytes, other.memoryBytes),
                sum(millicores, other.millicores),
                sum(processes, other.processes),
                sum(openFiles, other.openFiles),
                sum(diskBytes, other.diskBytes));
    }

    /** Subtracts, never below zero. */
    public Capacity minus(Capacity other) {
        return new Capacity(
                difference(runs, other.runs),
                difference(memoryBytes, other.memoryBytes),
                difference(millicores, other.millicores),
                difference(processes, other.processes),
                difference(openFiles, other.openFiles),
                difference(diskBytes, other.diskBytes));
    }

    /** The smaller amount of each. */
    public Capacity atMost(Capacity other) {
        return new Capacity(
                Math.min(runs, other.runs),
                Math.min(memoryBytes, other.memoryBytes),
                Math.min(millicores, other.millicores),
                Math.min(processes, other.processes),
                Math.min(openFiles, other.openFiles),
                Math.min(diskBytes, other.diskBytes));
    }

    /** Whether this is at least the other in every amount. */
    public boolean covers(Capacity other) {
        return runs >= other.runs
                && memoryBytes >= other.memoryBytes
                && millicores >= other.millicores
                && processes >= other.processes
                && openFiles >= other.openFiles
                && diskBytes >= other.diskBytes;
    }

    /** The fraction left when the other is taken, of the scarcest resource: from 0 to 1. */
    double shareLeft(Capacity taken) {
        return DoubleStream.of(
                        share(runs, taken.runs),
                        share(memoryBytes, taken.memoryBytes),
                        share(millicores, taken.millicores),
                        processes == 0 ? 1 : share(processes, taken.processes),
                        openFiles == 0 ? 1 : share(openFiles, taken.openFiles),
                        diskBytes == 0 ? 1 : share(diskBytes, taken.diskBytes))
                .min()
                .orElse(0);
    }

    private static double share(long all, long taken) {
        return all == 0 ? 0 : (double) difference(all, taken) / all;
    }

    private static long sum(long a, long b) {
        return a == UNLIMITED || b == UNLIMITED ? UNLIMITED : Math.addExact(a, b);
    }

    private static long difference(long all, long taken) {
        return all == UNLIMITED ? UNLIMITED : Math.max(0, all - taken);
    }
}
