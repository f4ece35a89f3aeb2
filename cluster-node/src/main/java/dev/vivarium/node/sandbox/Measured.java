package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Usage;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The measured use of an attempt's limits, in the units of their kinds. Pure and immutable. Idle time and wall clock,
 * which pass by themselves, are not included.
 *
 * <p>Memory is what cannot be reclaimed: anonymous and kernel memory, and shared memory other than files of the
 * workspace and /tmp (which are in memory too, and count as disk). The kernel's own limit is memory plus disk.
 *
 * @param amounts by limit; a missing limit has not been used
 * @param memoryPeakBytes the kernel's peak of memory without files and caches, as of the last sample; later
 *     samples know better how much could be reclaimed
 * @param unsettled a sample whose memory is known only later
 */
record Measured(Map<Limit<?>, Amount> amounts, long memoryPeakBytes, Unsettled unsettled) {
    private static final Amount NOTHING = new Amount(0, 0, false);

    /** For an agent that has just started: one process. */
    static final Measured OF_ONE_PROCESS = new Measured(Map.of(), 0, Unsettled.NONE).with(Limit.PIDS, 1, false);

    /**
     * How much of a limit is used.
     *
     * @param now at the last measurement
     * @param most the highest measurement
     * @param refused whether the kernel refused more, or killed for it
     */
    record Amount(long now, long most, boolean refused) {}

    Measured {
        amounts = Map.copyOf(amounts);
    }

    /** With the kernel's figures for a sandbox of this class with these limits, at a time since the start of the agent's process. */
    Measured sampled(SandboxSample sample, Limits limits, Isolation isolation, long nowMillis) {
        OptionalLong seen = sample.storedBytes();
        if (seen.isPresent()) {
            return with(Limit.DISK, seen.getAsLong(), of(Limit.DISK).refused).counted(sample, limits);
        }
        if (isolation.hasOwnKernel() && sample.files() == SandboxSample.Files.IN_MEMORY) {
            Unsettled next = unsettled.followedBy(sample, of(Limit.DISK).now, nowMillis);
            return counted(sample, next.memoryBytes(), limits).with(next);
        }
        return counted(sample, limits);
    }

    private Measured counted(SandboxSample sample, Limits limits) {
        long stored = stored(sample).now;
        return counted(sample, sample.anonymousBytes() + Math.max(0, sample.sharedBytes() - stored), limits);
    }

    private Amount stored(SandboxSample sample) {
        return sample.files() == SandboxSample.Files.IN_MEMORY ? of(Limit.DISK) : NOTHING;
    }

    private Measured counted(SandboxSample sample, long memory, Limits limits) {
        long memoryMax = Limit.MEMORY.amountIn(limits);
        // The kernel's peak includes files: it only fills the gaps between samples, up to the limit.
        long peakBytes = Math.min(sample.peakBytes() - stored(sample).most, memoryMax);
        boolean isKilled = sample.outOfMemoryKills() > 0;
        boolean isRefused = sample.forksRefused() > 0;
        // The guest is one of the processes. A refusal means that the limit was reached.
        long pids = isRefused ? Limit.PIDS.amountIn(limits) : sample.pidsPeak() - 1;
        Measured peak =
                with(Limit.MEMORY, memory - sample.unclearBytes(), isKilled).peakingAt(peakBytes);
        long counted = isKilled ? peak.outOfMemoryBytes(limits) : memory;
        return peak.with(
                        Limit.MEMORY,
                        new Amount(counted, Math.max(isKilled ? counted : 0, peak.of(Limit.MEMORY).most), isKilled))
                .with(Limit.PIDS, pids, isRefused)
                .with(Limit.CPU_TIME, sample.cpuMillis(), false);
    }

    private Measured peakingAt(long bytes) {
        return new Measured(amounts, bytes, unsettled);
    }

    private Measured with(Unsettled sample) {
        return new Measured(amounts, memoryPeakBytes, sample);
    }

    /** With the guest's report. */
    Measured reported(GuestFrame.Use use) {
        Measured told = with(use.limit(), use.amount(), use.pressure() == GuestFrame.Pressure.FULL);
        return use.limit() == Limit.DISK ? told.with(unsettled.told(use.amount())) : told;
    }

    /** With additional use of a limit. */
    Measured plus(Limit<?> limit, long more) {
        return with(limit, of(limit).now + more, false);
    }

    Measured with(Limit<?> limit, long now, boolean refused) {
        return with(limit, new Amount(now, Math.max(of(limit).most, now), refused));
    }

    private Measured with(Limit<?> limit, Amount amount) {
        Map<Limit<?>, Amount> changed = new HashMap<>(amounts);
        changed.put(limit, amount);
        return new Measured(changed, memoryPeakBytes, unsettled);
    }

    private Amount of(Limit<?> limit) {
        return amounts.getOrDefault(limit, NOTHING);
    }

    /**
     * The amount to compare with the limit: the current one, but for processes the highest, since many may come and go
     * between samples.
     */
    long against(Limit<?> limit) {
        return limit == Limit.PIDS ? of(limit).most : of(limit).now;
    }

    boolean isRefused(Limit<?> limit) {
        return of(limit).refused;
    }

    /** The memory to report for an out-of-memory kill: at least the limit, which samples may have missed. */
    long outOfMemoryBytes(Limits limits) {
        return Math.max(of(Limit.MEMORY).most, Limit.MEMORY.amountIn(limits));
    }

    /** The highest amount of each limit that is part of the usage report. */
    Usage usage() {
        Usage usage = Usage.NONE;
        for (Limit<?> limit : Limit.ALL) {
            usage = limit.usage().isEmpty() ? usage : usage.with(limit, of(limit).most);
        }
        return usage.with(Limit.MEMORY, Math.max(memoryPeakBytes, of(Limit.MEMORY).most));
    }
}
