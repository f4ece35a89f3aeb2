package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.network.EgressUse;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is known of an attempt's use of its limits, and the decisions that follow: pure, so that every limit can be
 * tested in microseconds. Times are in milliseconds since the agent's process started.
 *
 * <p>Memory is what cannot be given back: anonymous and kernel memory, and shared memory that is not a file of the
 * workspace or of /tmp (which lie in memory too and count as disk). The kernel's own limit is memory and disk together;
 * the first process that it kills for memory ends the run.
 *
 * <p>Each gauge warns once in an attempt, however often its threshold is crossed: an agent cannot flood its history.
 *
 * @param limits the run's limits
 * @param thresholds where alarms begin that come before a limit
 * @param idleCpuShare the share of one core below which the sandbox counts as idle
 * @param sampled what the kernel says, as of the last sample
 * @param stored what the guest says of the disk
 * @param printed what came out
 * @param activeAtMillis when the agent last printed or used the processor measurably
 * @param warned what has been warned of
 */
record LimitWatch(
        Limits limits,
        Thresholds thresholds,
        double idleCpuShare,
        Sampled sampled,
        Stored stored,
        Printed printed,
        long activeAtMillis,
        Set<Gauge> warned) {
    /** Below this share of one core a process counts as idle: what timers and keep-alives of a waiting runtime use. */
    private static final double IDLE_CPU_SHARE = 0.01;
    /** A kernel of its own has timers too (gVisor's, with a sleeping agent, was seen at 0.18 to 0.26 %, and at 3 %
     * with a guest that looked ten times a second). */
    private static final double IDLE_CPU_SHARE_OF_OWN_KERNEL = 0.03;

    /** However near a limit is, a sandbox is not looked at more often than this. */
    private static final long MINIMUM_SAMPLE_MILLIS = 10;

    /** What is measured against a limit; in the order in which limits are blamed: the rest often follows from memory. */
    private enum Gauge {
        MEMORY(Limit.MEMORY),
        PIDS(Limit.PIDS),
        FILES(Limit.FILES),
        DISK(Limit.DISK),
        OUTPUT(Limit.OUTPUT),
        OUTPUT_RATE(KillReason.OUTPUT),
        EGRESS_REQUESTS(Limit.EGRESS_REQUESTS),
        EGRESS_BYTES(Limit.EGRESS_BYTES),
        EGRESS_SCAN(KillReason.EGRESS_SCAN),
        CPU_TIME(Limit.CPU_TIME),
        IDLE(Limit.IDLE),
        WALL_CLOCK(Limit.WALL_CLOCK);

        @SuppressWarnings("ImmutableEnumChecker") // A row of the table of limits never changes.
        private final Optional<Limit<?>> limit;

        private final KillReason reason;

        Gauge(Limit<?> limit) {
            this.limit = Optional.of(limit);
            this.reason = limit.reason().orElseThrow();
        }

        /** One that has a threshold of the operator and no limit of the run. */
        Gauge(KillReason reason) {
            this.limit = Optional.empty();
            this.reason = reason;
        }
    }

    /**
     * Where alarms begin that come before a limit.
     *
     * @param share the share of each limit
     * @param outputRate the rate of output, which has no limit of the run's own
     * @param egressScan how many destinations may be tried in vain
     */
    record Thresholds(double share, OutputRateAlarm outputRate, EgressScanAlarm egressScan) {}

    /**
     * What the kernel says.
     *
     * @param cpuMillis processor time
     * @param memoryBytes memory now
     * @param memoryPeakBytes the most seen
     * @param pidsPeak the most processes and threads seen
     * @param forksRefused how often it refused a process
     * @param outOfMemoryKills how often it killed for memory
     * @param egress what it did with its network
     * @param atMillis when it was asked last
     */
    record Sampled(
            long cpuMillis,
            long memoryBytes,
            long memoryPeakBytes,
            long pidsPeak,
            long forksRefused,
            long outOfMemoryKills,
            EgressUse egress,
            long atMillis) {}

    /** What lies on the disk: bytes and files, each now and at most, and whether a writable place has no room. */
    record Stored(long bytes, long peakBytes, long files, long filesPeak, GuestFrame.Pressure pressure) {}

    /** What came out: in all, the part over the limit too, and since the present window of the rate began. */
    record Printed(long bytes, long windowFromMillis, long windowBytes) {}

    /** What was measured of a limit that is reached or near. */
    record Breach(KillReason reason, Measurement measurement) {}

    /** The watch that has warned, and of what. */
    record Warned(LimitWatch watch, List<Breach> warnings) {}

    /** The watch over an agent that has just started: one process, of which nothing else is known. */
    static LimitWatch of(Limits limits, Thresholds thresholds, Isolation isolation) {
        return new LimitWatch(
                limits,
                thresholds,
                isolation.hasOwnKernel() ? IDLE_CPU_SHARE_OF_OWN_KERNEL : IDLE_CPU_SHARE,
                new Sampled(0, 0, 0, 1, 0, 0, EgressUse.NOTHING, 0),
                new Stored(0, 0, 0, 0, GuestFrame.Pressure.NONE),
                new Printed(0, 0, 0),
                0,
                Set.of());
    }

    // ---- what is learned

    LimitWatch sampled(SandboxUse use, long nowMillis) {
        SandboxSample sample = use.sample();
        long memory = sample.anonymousBytes() + Math.max(0, sample.sharedBytes() - stored.bytes());
        // The kernel's peak counts files and their cache too: it only fills the gaps between samples, up to the limit.
        long kernelPeak = Math.min(
                sample.peakBytes() - stored.peakBytes(),
                limits.get(Limit.MEMORY).bytes());
        // The guest is one of them. At the limit they were, when a further one was refused.
        long pids = sample.forksRefused() > 0 ? limits.get(Limit.PIDS) : sample.pidsPeak() - 1;
        boolean busy =
                sample.cpuMillis() - sampled.cpuMillis > idleCpuShare * Math.max(1, nowMillis - sampled.atMillis);
        Sampled now = new Sampled(
                sample.cpuMillis(),
                memory,
                Math.max(Math.max(sampled.memoryPeakBytes, memory), kernelPeak),
                Math.max(sampled.pidsPeak, pids),
                sample.forksRefused(),
                sample.outOfMemoryKills(),
                use.egress(),
                nowMillis);
        return new LimitWatch(
                limits, thresholds, idleCpuShare, now, stored, printed, busy ? nowMillis : activeAtMillis, warned);
    }

    /** What the guest counted, where the host cannot. */
    LimitWatch pids(int count) {
        Sampled now = new Sampled(
                sampled.cpuMillis,
                sampled.memoryBytes,
                sampled.memoryPeakBytes,
                Math.max(sampled.pidsPeak, count),
                sampled.forksRefused,
                sampled.outOfMemoryKills,
                sampled.egress,
                sampled.atMillis);
        return new LimitWatch(limits, thresholds, idleCpuShare, now, stored, printed, activeAtMillis, warned);
    }

    LimitWatch disk(GuestFrame.Disk disk) {
        Stored now = new Stored(
                disk.usedBytes(),
                Math.max(stored.peakBytes, disk.usedBytes()),
                disk.files(),
                Math.max(stored.filesPeak, disk.files()),
                disk.pressure());
        return new LimitWatch(limits, thresholds, idleCpuShare, sampled, now, printed, activeAtMillis, warned);
    }

    LimitWatch printed(long bytes, long nowMillis) {
        // A window begins with what is printed after the one before, so a rate that lasts is seen within two of them.
        boolean goesOn = nowMillis - printed.windowFromMillis
                < thresholds.outputRate.window().toMillis();
        Printed now = new Printed(
                printed.bytes + bytes,
                goesOn ? printed.windowFromMillis : nowMillis,
                goesOn ? printed.windowBytes + bytes : bytes);
        return new LimitWatch(limits, thresholds, idleCpuShare, sampled, stored, now, nowMillis, warned);
    }

    // ---- what follows

    /** The limit that is reached, if one is. Idleness only as far as it was measured: who is not seen may be busy. */
    Optional<Breach> breach() {
        return firstOf(EnumSet.complementOf(EnumSet.of(Gauge.WALL_CLOCK)));
    }

    /** The limit that an agent had reached that has ended by itself. However long it was idle, it did not wait for more. */
    Optional<Breach> breachAtExit() {
        return firstOf(EnumSet.complementOf(EnumSet.of(Gauge.IDLE, Gauge.WALL_CLOCK)));
    }

    private Optional<Breach> firstOf(Set<Gauge> gauges) {
        return gauges.stream()
                .filter(this::isReached)
                .findFirst()
                .map(gauge -> new Breach(gauge.reason, measurement(gauge, sampled.atMillis)));
    }

    /** Limits that are nearly reached and were not when it was last asked, so that the history shows what led to an end. */
    Warned warn(long nowMillis) {
        Set<Gauge> all = EnumSet.noneOf(Gauge.class);
        all.addAll(warned);
        List<Breach> warnings = new ArrayList<>();
        for (Gauge gauge : Gauge.values()) {
            if (isNear(gauge, nowMillis) && all.add(gauge)) {
                warnings.add(new Breach(gauge.reason, measurement(gauge, nowMillis)));
            }
        }
        return new Warned(
                warnings.isEmpty()
                        ? this
                        : new LimitWatch(
                                limits, thresholds, idleCpuShare, sampled, stored, printed, activeAtMillis, all),
                List.copyOf(warnings));
    }

    private boolean isReached(Gauge gauge) {
        Measurement measured = measurement(gauge, sampled.atMillis);
        boolean isAbove = measured.measured() > measured.limit();
        return switch (gauge) {
            case MEMORY -> sampled.outOfMemoryKills > 0 || isAbove;
            case PIDS -> sampled.forksRefused > 0 || isAbove;
            case DISK -> stored.pressure == GuestFrame.Pressure.FULL || isAbove;
            case OUTPUT, EGRESS_REQUESTS, EGRESS_BYTES -> isAbove;
            case OUTPUT_RATE -> thresholds.outputRate.consequence() == Consequence.KILL && isTooFast();
            case EGRESS_SCAN -> thresholds.egressScan.consequence() == Consequence.KILL && isScanning();
            case FILES, CPU_TIME, IDLE -> measured.measured() >= measured.limit();
            case WALL_CLOCK -> false; // The timer of the one who watches is more exact.
        };
    }

    private boolean isNear(Gauge gauge, long nowMillis) {
        if (gauge == Gauge.OUTPUT_RATE) {
            return isTooFast();
        }
        if (gauge == Gauge.EGRESS_SCAN) {
            return isScanning();
        }
        Measurement measured = measurement(gauge, nowMillis);
        return measured.measured() > thresholds.share * measured.limit();
    }

    private boolean isTooFast() {
        return thresholds.outputRate.rate(printed.windowBytes) > thresholds.outputRate.bytesPerSecond();
    }

    private boolean isScanning() {
        return sampled.egress.destinations() > thresholds.egressScan.destinations();
    }

    private Measurement measurement(Gauge gauge, long nowMillis) {
        long measured = measured(gauge, nowMillis);
        return switch (gauge) {
            case OUTPUT_RATE -> Measurement.bytesPerSecond(measured, thresholds.outputRate.bytesPerSecond());
            case EGRESS_SCAN -> Measurement.count(measured, thresholds.egressScan.destinations());
            default -> gauge.limit.orElseThrow().measurement(measured, limits);
        };
    }

    private long measured(Gauge gauge, long nowMillis) {
        return switch (gauge) {
            case MEMORY -> sampled.outOfMemoryKills > 0 ? outOfMemory().measured() : sampled.memoryBytes;
            case PIDS -> sampled.pidsPeak;
            case DISK -> stored.bytes;
            case FILES -> stored.files;
            case OUTPUT -> printed.bytes;
            case OUTPUT_RATE -> thresholds.outputRate.rate(printed.windowBytes);
            case EGRESS_REQUESTS -> sampled.egress.opened();
            case EGRESS_BYTES -> sampled.egress.traffic().bytes();
            case EGRESS_SCAN -> sampled.egress.destinations();
            case CPU_TIME -> sampled.cpuMillis;
            case IDLE -> idleMillis();
            case WALL_CLOCK -> nowMillis;
        };
    }

    /** What a kill by the kernel tells: the limit was reached, though no sample may have seen it. */
    Measurement outOfMemory() {
        return Limit.MEMORY.measurement(Math.max(sampled.memoryPeakBytes, Limit.MEMORY.amountIn(limits)), limits);
    }

    private long idleMillis() {
        return Math.max(0, sampled.atMillis - activeAtMillis);
    }

    /** When to look again: at the interval, or sooner where processor time or idleness could come to something before. */
    Duration nextSample(Duration interval, long nowMillis) {
        long cpuLeft = (goal(Gauge.CPU_TIME) - sampled.cpuMillis)
                * 1000
                / Math.max(1, limits.get(Limit.CPU).millicores());
        long idleLeft = goal(Gauge.IDLE) - (nowMillis - activeAtMillis);
        long wallLeft = warned.contains(Gauge.WALL_CLOCK) ? Long.MAX_VALUE : goal(Gauge.WALL_CLOCK) - nowMillis;
        long millis = Math.min(Math.min(interval.toMillis(), wallLeft), Math.min(cpuLeft, idleLeft));
        return Duration.ofMillis(Math.max(MINIMUM_SAMPLE_MILLIS, millis));
    }

    /** What is to be noticed next: where it warns, one beyond to be above it, and then the limit. */
    private long goal(Gauge gauge) {
        long limitMillis = gauge.limit.orElseThrow().amountIn(limits);
        return warned.contains(gauge)
                ? limitMillis
                : Math.min(limitMillis, (long) (thresholds.share * limitMillis) + 1);
    }

    EgressUse egress() {
        return sampled.egress;
    }

    /** How long nobody has been able to say what the sandbox uses. */
    Duration unmeasured(long nowMillis) {
        return Duration.ofMillis(nowMillis - sampled.atMillis);
    }

    Usage usage(long wallMillis, long keptOutputBytes) {
        return new Usage(
                wallMillis,
                sampled.cpuMillis,
                sampled.memoryPeakBytes,
                stored.peakBytes,
                stored.filesPeak,
                keptOutputBytes,
                sampled.pidsPeak);
    }
}
