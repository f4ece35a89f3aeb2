package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.Optional;

/**
 * What is known of an attempt's use of its limits, and the decisions that follow: pure, so that every limit can be
 * tested in microseconds. Times are in milliseconds since the agent's process started.
 *
 * <p>Memory is what cannot be given back: anonymous and kernel memory, and shared memory that is not a file of the
 * workspace or of /tmp (which lie in memory too and count as disk). The kernel's own limit is memory and disk together;
 * the first process that it kills for memory ends the run.
 *
 * @param limits the run's limits
 * @param cpuMillis processor time at the last sample
 * @param memoryBytes memory at the last sample
 * @param memoryPeakBytes the most seen
 * @param diskBytes disk use that the guest told last
 * @param diskPeakBytes the most seen
 * @param diskFull whether a writable place has no room
 * @param outputBytes what was printed, the part over the limit too
 * @param pidsPeak the most processes and threads seen
 * @param forksRefused how often the kernel refused a process
 * @param outOfMemoryKills how often the kernel killed for memory
 * @param activeAtMillis when the agent last printed or used the processor measurably
 * @param sampledAtMillis when the last sample was taken
 */
record LimitWatch(
        Limits limits,
        long cpuMillis,
        long memoryBytes,
        long memoryPeakBytes,
        long diskBytes,
        long diskPeakBytes,
        GuestFrame.Pressure diskFull,
        long outputBytes,
        long pidsPeak,
        long forksRefused,
        long outOfMemoryKills,
        long activeAtMillis,
        long sampledAtMillis) {
    /** Below this share of one core a process counts as idle: what timers and keep-alives of a waiting runtime use. */
    private static final double IDLE_CPU_SHARE = 0.01;

    /** A limit that was reached. */
    record Breach(KillReason reason, Measurement measurement) {}

    static LimitWatch of(Limits limits) {
        return new LimitWatch(limits, 0, 0, 0, 0, 0, GuestFrame.Pressure.NONE, 0, 0, 0, 0, 0, 0);
    }

    LimitWatch sampled(SandboxSample sample, long nowMillis) {
        long memory = sample.anonymousBytes() + Math.max(0, sample.sharedBytes() - diskBytes);
        // The kernel's peak counts files and their cache too: it only fills the gaps between samples, up to the limit.
        long kernelPeak =
                Math.min(sample.peakBytes() - diskPeakBytes, limits.memory().bytes());
        long used = sample.cpuMillis() - cpuMillis;
        boolean busy = used > IDLE_CPU_SHARE * Math.max(1, nowMillis - sampledAtMillis);
        return new LimitWatch(
                limits,
                sample.cpuMillis(),
                memory,
                Math.max(Math.max(memoryPeakBytes, memory), kernelPeak),
                diskBytes,
                diskPeakBytes,
                diskFull,
                outputBytes,
                Math.max(pidsPeak, Math.max(0, sample.pids() - 1)),
                sample.forksRefused(),
                sample.outOfMemoryKills(),
                busy ? nowMillis : activeAtMillis,
                nowMillis);
    }

    LimitWatch disk(GuestFrame.Disk disk) {
        return new LimitWatch(
                limits,
                cpuMillis,
                memoryBytes,
                memoryPeakBytes,
                disk.usedBytes(),
                Math.max(diskPeakBytes, disk.usedBytes()),
                disk.pressure(),
                outputBytes,
                pidsPeak,
                forksRefused,
                outOfMemoryKills,
                activeAtMillis,
                sampledAtMillis);
    }

    LimitWatch printed(long bytes, long nowMillis) {
        return new LimitWatch(
                limits,
                cpuMillis,
                memoryBytes,
                memoryPeakBytes,
                diskBytes,
                diskPeakBytes,
                diskFull,
                outputBytes + bytes,
                pidsPeak,
                forksRefused,
                outOfMemoryKills,
                nowMillis,
                sampledAtMillis);
    }

    /** What the guest counted, where the host cannot. */
    LimitWatch pids(int count) {
        return new LimitWatch(
                limits,
                cpuMillis,
                memoryBytes,
                memoryPeakBytes,
                diskBytes,
                diskPeakBytes,
                diskFull,
                outputBytes,
                Math.max(pidsPeak, count),
                forksRefused,
                outOfMemoryKills,
                activeAtMillis,
                sampledAtMillis);
    }

    /** What a kill by the kernel tells: the limit was reached, though no sample may have seen it. */
    Measurement outOfMemory() {
        long limit = limits.memory().bytes();
        return Measurement.bytes(Math.max(memoryPeakBytes, limit), limit);
    }

    /** The limit that is reached, if one is. Memory goes first: the rest often follows from it. */
    Optional<Breach> breach(long nowMillis) {
        if (outOfMemoryKills > 0) {
            return breach(KillReason.MEMORY, outOfMemory());
        }
        if (memoryBytes > limits.memory().bytes()) {
            return breach(
                    KillReason.MEMORY,
                    Measurement.bytes(memoryBytes, limits.memory().bytes()));
        }
        if (forksRefused > 0 || pidsPeak > limits.pids()) {
            return breach(KillReason.PIDS, Measurement.count(Math.max(pidsPeak, limits.pids()), limits.pids()));
        }
        if (diskFull == GuestFrame.Pressure.FULL || diskBytes > limits.disk().bytes()) {
            return breach(
                    KillReason.DISK, Measurement.bytes(diskBytes, limits.disk().bytes()));
        }
        if (outputBytes > limits.output().bytes()) {
            return breach(
                    KillReason.OUTPUT,
                    Measurement.bytes(outputBytes, limits.output().bytes()));
        }
        if (cpuMillis >= limits.cpuTime().millis()) {
            return breach(
                    KillReason.CPU_TIME,
                    Measurement.millis(cpuMillis, limits.cpuTime().millis()));
        }
        long idleMillis = nowMillis - activeAtMillis;
        if (idleMillis >= limits.idle().millis()) {
            return breach(
                    KillReason.IDLE,
                    Measurement.millis(idleMillis, limits.idle().millis()));
        }
        return Optional.empty();
    }

    /** A limit that is nearly reached, if one is, so that the history shows what came before a kill. */
    Optional<Breach> warning(double share) {
        if (memoryBytes > share * limits.memory().bytes()) {
            return breach(
                    KillReason.MEMORY,
                    Measurement.bytes(memoryBytes, limits.memory().bytes()));
        }
        if (diskBytes > share * limits.disk().bytes()) {
            return breach(
                    KillReason.DISK, Measurement.bytes(diskBytes, limits.disk().bytes()));
        }
        if (cpuMillis > share * limits.cpuTime().millis()) {
            return breach(
                    KillReason.CPU_TIME,
                    Measurement.millis(cpuMillis, limits.cpuTime().millis()));
        }
        return Optional.empty();
    }

    /**
     * When to look again: at the interval, or sooner where processor time or idleness could reach its limit before.
     */
    Duration nextSample(Duration interval, long nowMillis) {
        long cpuLeft = (limits.cpuTime().millis() - cpuMillis)
                * 1000
                / Math.max(1, limits.cpu().millicores());
        long idleLeft = limits.idle().millis() - (nowMillis - activeAtMillis);
        long millis = Math.min(interval.toMillis(), Math.min(cpuLeft, idleLeft));
        return Duration.ofMillis(Math.max(MINIMUM_SAMPLE_MILLIS, millis));
    }

    /** However near a limit is, a sandbox is not looked at more often than this. */
    private static final long MINIMUM_SAMPLE_MILLIS = 10;

    Usage usage(long wallMillis, long keptOutputBytes) {
        return new Usage(wallMillis, cpuMillis, memoryPeakBytes, diskPeakBytes, keptOutputBytes, pidsPeak);
    }

    private static Optional<Breach> breach(KillReason reason, Measurement measurement) {
        return Optional.of(new Breach(reason, measurement));
    }
}
