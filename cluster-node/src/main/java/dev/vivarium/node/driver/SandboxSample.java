package dev.vivarium.node.driver;

import java.util.OptionalLong;

/**
 * A sandbox's resource use, measured from outside. Memory is what cannot be reclaimed: it excludes the kernel's caches of files
 * and of their names.
 *
 * @param cpuMillis processor time since the sandbox was handed over, or since its start where that is unknown
 * @param anonymousBytes current memory not backed by files: heaps, stacks, kernel memory
 * @param unclearBytes the part that the kernel may be able to reclaim, of unknown size
 * @param sharedBytes current shared memory, which includes the files of the workspace and /tmp if they are in memory
 * @param storedBytes the files of the workspace and /tmp at the same moment, if visible from outside
 * @param peakBytes the highest memory use so far, with files of the workspace and /tmp that are in memory, as precisely as the kernel reports it
 * @param pids processes and threads now
 * @param pidsPeak their peak, where the kernel counts it; else the current number
 * @param outOfMemoryKills how often the kernel killed a process for memory
 * @param forksRefused how often the kernel refused a process for the pids limit
 * @param files where the files of the workspace and /tmp are
 * @param writtenBytes what its processes have written, as far as is seen from outside: a sign of work that may become less when
 *     processes end
 */
public record SandboxSample(
        long cpuMillis,
        long anonymousBytes,
        long unclearBytes,
        long sharedBytes,
        OptionalLong storedBytes,
        long peakBytes,
        long pids,
        long pidsPeak,
        long outOfMemoryKills,
        long forksRefused,
        Files files,
        long writtenBytes) {
    /** Where the files of the workspace and /tmp are. */
    public enum Files {
        /** In shared memory. */
        IN_MEMORY,
        /** On a disk, and so in no memory but caches. */
        ON_DISK
    }

    /** A sample without stored files and without unclear memory. */
    public SandboxSample(
            long cpuMillis,
            long anonymousBytes,
            long sharedBytes,
            long peakBytes,
            long pids,
            long pidsPeak,
            long outOfMemoryKills,
            long forksRefused) {
        this(
                cpuMillis,
                anonymousBytes,
                0,
                sharedBytes,
                OptionalLong.empty(),
                peakBytes,
                pids,
                pidsPeak,
                outOfMemoryKills,
                forksRefused,
                Files.IN_MEMORY,
                0);
    }

    /** This sample with additional memory that was counted elsewhere. */
    public SandboxSample plusAnonymous(long bytes) {
        return new SandboxSample(
                cpuMillis,
                anonymousBytes + bytes,
                unclearBytes,
                sharedBytes,
                storedBytes,
                peakBytes + bytes,
                pids,
                pidsPeak,
                outOfMemoryKills,
                forksRefused,
                files,
                writtenBytes);
    }

    /** This sample with the files stored when it was taken. */
    public SandboxSample storing(OptionalLong bytes) {
        return new SandboxSample(
                cpuMillis,
                anonymousBytes,
                unclearBytes,
                sharedBytes,
                bytes,
                peakBytes,
                pids,
                pidsPeak,
                outOfMemoryKills,
                forksRefused,
                files,
                writtenBytes);
    }

    /** This sample without the processor time used before. */
    public SandboxSample since(long earlierCpuMillis) {
        return new SandboxSample(
                cpuMillis - earlierCpuMillis,
                anonymousBytes,
                unclearBytes,
                sharedBytes,
                storedBytes,
                peakBytes,
                pids,
                pidsPeak,
                outOfMemoryKills,
                forksRefused,
                files,
                writtenBytes);
    }

    /** This sample of a sandbox whose files are on a disk. */
    public SandboxSample onDisk() {
        return new SandboxSample(
                cpuMillis,
                anonymousBytes,
                unclearBytes,
                sharedBytes,
                storedBytes,
                peakBytes,
                pids,
                pidsPeak,
                outOfMemoryKills,
                forksRefused,
                Files.ON_DISK,
                writtenBytes);
    }

    /** This sample with what the processes have written. */
    public SandboxSample writing(long bytes) {
        return new SandboxSample(
                cpuMillis,
                anonymousBytes,
                unclearBytes,
                sharedBytes,
                storedBytes,
                peakBytes,
                pids,
                pidsPeak,
                outOfMemoryKills,
                forksRefused,
                files,
                bytes);
    }
}
