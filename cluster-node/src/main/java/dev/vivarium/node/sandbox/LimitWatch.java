package dev.vivarium.node.sandbox;

import dev.vivarium.node.network.EgressUse;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.LimitKind;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Decides whether an attempt is near one of its limits or has reached it. Pure, so that every limit can be tested in
 * microseconds. It walks over the table of limits; {@link Measured} holds the measured amounts. Times are in
 * milliseconds since the start of the agent's process.
 *
 * <p>The first process that the kernel kills for memory ends the run, and so does the first that it refuses to create.
 *
 * <p>Each gauge warns once in an attempt, and once more when its limit is renewed, however often its threshold is crossed, so that an agent cannot flood its
 * history.
 *
 * @param limits the run's limits
 * @param thresholds where warnings begin
 * @param isolation whether the sandbox has a kernel of its own
 * @param measured the amounts measured so far
 * @param egress network use as of the last sample
 * @param window recent output
 * @param work what it had stored and transferred, as of the last sample
 * @param sampledAtMillis the time of the last sample
 * @param activeAtMillis when the agent last printed, read its input, used a measurable amount of CPU, or changed its work
 * @param warned gauges that have warned
 */
record LimitWatch(
        Limits limits,
        Thresholds thresholds,
        Isolation isolation,
        Measured measured,
        EgressUse egress,
        OutputRateAlarm.Window window,
        Work work,
        long sampledAtMillis,
        long activeAtMillis,
        Set<Gauge> warned) {
    /**
     * Below this share of one core a process counts as idle: timers and keep-alives of a waiting runtime use that much.
     */
    private static final double IDLE_CPU_SHARE = 0.01;
    /**
     * A sandbox's own kernel has timers, too: gVisor's used 0.18 to 0.26 % with a sleeping agent, and 3 % with a guest
     * that looked ten times a second.
     */
    private static final double IDLE_CPU_SHARE_OF_OWN_KERNEL = 0.03;

    /** The shortest interval between samples, however near a limit is. */
    private static final long MINIMUM_SAMPLE_MILLIS = 10;

    /**
     * Limits that the node measures itself; the guest's reports on these are ignored, since an agent may have broken
     * its guest.
     */
    private static final Set<Limit<?>> MEASURED_OUTSIDE = Set.of(
            Limit.WALL_CLOCK,
            Limit.GRACE,
            Limit.IDLE,
            Limit.CPU_TIME,
            Limit.MEMORY,
            Limit.OUTPUT,
            Limit.EGRESS_REQUESTS,
            Limit.EGRESS_BYTES);

    /** In order of blame: time comes last, because excessive use of anything else takes time, too. */
    private static final List<Gauge> GAUGES = gauges();

    /**
     * Signs of work beside output and processor time: while any of them changes, an agent is not idle. What it has written may
     * become less when its processes end, which is no work.
     */
    record Work(
            long storedBytes,
            long files,
            long sharedMemoryBytes,
            long transferredBytes,
            long connections,
            long writtenBytes) {
        static final Work NONE = new Work(0, 0, 0, 0, 0, 0);

        static Work of(Measured measured, long writtenBytes) {
            return new Work(
                    measured.against(Limit.DISK),
                    measured.against(Limit.FILES),
                    measured.against(Limit.SHARED_MEMORY),
                    measured.against(Limit.EGRESS_BYTES),
                    measured.against(Limit.EGRESS_REQUESTS),
                    writtenBytes);
        }

        boolean isSeenSince(Work before) {
            return writtenBytes > before.writtenBytes || !before.equals(withWritten(before.writtenBytes));
        }

        private Work withWritten(long bytes) {
            return new Work(storedBytes, files, sharedMemoryBytes, transferredBytes, connections, bytes);
        }
    }

    /** What can be exceeded: a limit of the run, or a threshold of the operator. */
    private sealed interface Gauge {
        KillReason reason();
    }

    private record OfLimit(Limit<?> limit) implements Gauge {
        @Override
        public KillReason reason() {
            return limit.reason().orElseThrow();
        }
    }

    /** Gauges with a threshold of the operator and no limit of the run. */
    private enum OfOperator implements Gauge {
        OUTPUT_RATE(KillReason.OUTPUT),
        EGRESS_SCAN(KillReason.EGRESS_SCAN);

        private final KillReason reason;

        OfOperator(KillReason reason) {
            this.reason = reason;
        }

        @Override
        public KillReason reason() {
            return reason;
        }
    }

    /**
     * Where warnings begin.
     *
     * @param share the share of each limit, other than the wall clock
     * @param deadlineShare the share of the wall clock
     * @param outputRate the rate of output, which has no limit of the run
     * @param egressScan the number of destinations that may be tried in vain
     */
    record Thresholds(double share, double deadlineShare, OutputRateAlarm outputRate, EgressScanAlarm egressScan) {
        private double of(Limit<?> limit) {
            return limit == Limit.WALL_CLOCK ? deadlineShare : share;
        }
    }

    /** A limit that is near or reached, and what was measured. */
    record Breach(KillReason reason, Measurement measurement) {}

    /** The watch after warning, and the warnings. */
    record Warned(LimitWatch watch, List<Breach> warnings) {}

    private static List<Gauge> gauges() {
        List<Gauge> gauges = new ArrayList<>(endingRuns(limit -> limit.kind() != LimitKind.TIME));
        gauges.addAll(List.of(OfOperator.values()));
        gauges.addAll(endingRuns(limit -> limit.kind() == LimitKind.TIME));
        return List.copyOf(gauges);
    }

    private static List<Gauge> endingRuns(Predicate<Limit<?>> which) {
        return Limit.ALL.stream()
                .filter(limit -> limit.reason().isPresent())
                .filter(which)
                .<Gauge>map(OfLimit::new)
                .toList();
    }

    /** The watch over an agent that has just started. */
    static LimitWatch of(Limits limits, Thresholds thresholds, Isolation isolation) {
        return new LimitWatch(
                limits,
                thresholds,
                isolation,
                Measured.OF_ONE_PROCESS,
                EgressUse.NOTHING,
                OutputRateAlarm.Window.EMPTY,
                Work.NONE,
                0,
                0,
                Set.of());
    }

    // ---- input

    LimitWatch sampled(SandboxUse use, long nowMillis) {
        long cpuMillis = use.sample().cpuMillis() - measured.against(Limit.CPU_TIME);
        Measured now = measured.sampled(use.sample(), limits, isolation, nowMillis)
                .with(Limit.EGRESS_REQUESTS, use.egress().opened(), false)
                .with(Limit.EGRESS_BYTES, use.egress().traffic().bytes(), false);
        boolean isBusy = cpuMillis > idleCpuShare() * Math.max(1, nowMillis - sampledAtMillis);
        Work seen = Work.of(now, use.sample().writtenBytes());
        boolean hasWorked = isBusy || seen.isSeenSince(work);
        return new LimitWatch(
                limits,
                thresholds,
                isolation,
                now,
                use.egress(),
                window,
                seen,
                nowMillis,
                hasWorked ? nowMillis : activeAtMillis,
                warned);
    }

    private double idleCpuShare() {
        return isolation.hasOwnKernel() ? IDLE_CPU_SHARE_OF_OWN_KERNEL : IDLE_CPU_SHARE;
    }

    /**
     * The guest's report; counts only where the node cannot measure. It measures processes of a shared kernel itself.
     */
    LimitWatch reported(GuestFrame.Use use) {
        boolean isMeasured =
                MEASURED_OUTSIDE.contains(use.limit()) || (use.limit() == Limit.PIDS && !isolation.hasOwnKernel());
        return isMeasured ? this : with(measured.reported(use), window, activeAtMillis);
    }

    /** Earlier attempts of the run have printed so much: the limit holds for all of them together. */
    LimitWatch printedBefore(long bytes) {
        return with(measured.plus(Limit.OUTPUT, bytes), window, activeAtMillis);
    }

    LimitWatch printed(long bytes, long nowMillis) {
        return with(
                measured.plus(Limit.OUTPUT, bytes), thresholds.outputRate.printed(window, bytes, nowMillis), nowMillis);
    }

    /** A process has read input that was sent to it. */
    LimitWatch read(long nowMillis) {
        return with(measured, window, nowMillis);
    }

    /** The watch over other limits: one that differs from before may warn once more. */
    LimitWatch renewed(Limits changed) {
        Set<Gauge> stillWarned = warned.stream()
                .filter(gauge ->
                        !(gauge instanceof OfLimit of) || of.limit.amountIn(limits) == of.limit.amountIn(changed))
                .collect(Collectors.toUnmodifiableSet());
        return new LimitWatch(
                changed,
                thresholds,
                isolation,
                measured,
                egress,
                window,
                work,
                sampledAtMillis,
                activeAtMillis,
                stillWarned);
    }

    private LimitWatch with(Measured known, OutputRateAlarm.Window printed, long activeMillis) {
        return new LimitWatch(
                limits, thresholds, isolation, known, egress, printed, work, sampledAtMillis, activeMillis, warned);
    }

    // ---- decisions

    /**
     * The limit that is reached, if any. Idle time counts up to the last sample only; an agent that was not sampled may
     * be busy.
     */
    Optional<Breach> breach() {
        return firstReached(gauge -> true);
    }

    /** The limit that an agent had reached before it exited by itself; an idle time does not count then. */
    Optional<Breach> breachAtExit() {
        return firstReached(gauge -> !gauge.equals(new OfLimit(Limit.IDLE)));
    }

    private Optional<Breach> firstReached(Predicate<Gauge> which) {
        return GAUGES.stream()
                .filter(which)
                .filter(this::isReached)
                .findFirst()
                .map(gauge -> new Breach(gauge.reason(), measurement(gauge, sampledAtMillis)));
    }

    /** Gauges that have come near since the last call, so that the history shows what led to an end. */
    Warned warn(long nowMillis) {
        Set<Gauge> all = new HashSet<>(warned);
        List<Breach> warnings = new ArrayList<>();
        for (Gauge gauge : GAUGES) {
            if (isNear(gauge, nowMillis) && all.add(gauge)) {
                warnings.add(new Breach(gauge.reason(), measurement(gauge, nowMillis)));
            }
        }
        LimitWatch watch = new LimitWatch(
                limits,
                thresholds,
                isolation,
                measured,
                egress,
                window,
                work,
                sampledAtMillis,
                activeAtMillis,
                Set.copyOf(all));
        return new Warned(watch, List.copyOf(warnings));
    }

    private boolean isReached(Gauge gauge) {
        if (gauge instanceof OfLimit of) {
            return isReached(of.limit);
        }
        Consequence consequence = gauge == OfOperator.OUTPUT_RATE
                ? thresholds.outputRate.consequence()
                : thresholds.egressScan.consequence();
        return consequence == Consequence.KILL && isNear(gauge, sampledAtMillis);
    }

    /** A time limit is reached when the time has passed; every other limit only when it is exceeded. */
    private boolean isReached(Limit<?> limit) {
        if (limit == Limit.WALL_CLOCK) {
            return false; // The deadline's own timer is more exact.
        }
        long amount = amount(limit, sampledAtMillis);
        long most = limit.amountIn(limits);
        return limit.kind() == LimitKind.TIME ? amount >= most : amount > most || measured.isRefused(limit);
    }

    private boolean isNear(Gauge gauge, long nowMillis) {
        Measurement measurement = measurement(gauge, nowMillis);
        double share = gauge instanceof OfLimit of ? thresholds.of(of.limit) : 1;
        return measurement.measured() > share * measurement.limit();
    }

    private Measurement measurement(Gauge gauge, long nowMillis) {
        if (gauge instanceof OfLimit of) {
            return of.limit.measurement(amount(of.limit, nowMillis), limits);
        }
        return gauge == OfOperator.OUTPUT_RATE
                ? thresholds.outputRate.measurement(window)
                : Measurement.count(egress.destinations(), thresholds.egressScan.destinations());
    }

    private long amount(Limit<?> limit, long nowMillis) {
        if (limit == Limit.WALL_CLOCK) {
            return nowMillis;
        }
        return limit == Limit.IDLE ? Math.max(0, sampledAtMillis - activeAtMillis) : measured.against(limit);
    }

    /** The measurement to report for an out-of-memory kill, which samples may have missed. */
    Measurement outOfMemory() {
        return Limit.MEMORY.measurement(measured.outOfMemoryBytes(limits), limits);
    }

    /**
     * The time until the next sample: the interval, or less if the wall clock, CPU time or idle time could reach a
     * threshold before.
     */
    Duration nextSample(Duration interval, long nowMillis) {
        long cpuLeft = (goal(Limit.CPU_TIME) - measured.against(Limit.CPU_TIME))
                * 1000
                / Math.max(1, Limit.CPU.amountIn(limits));
        long idleLeft = goal(Limit.IDLE) - (nowMillis - activeAtMillis);
        long wallLeft = hasWarned(Limit.WALL_CLOCK) ? Long.MAX_VALUE : goal(Limit.WALL_CLOCK) - nowMillis;
        long millis = Math.min(Math.min(interval.toMillis(), wallLeft), Math.min(cpuLeft, idleLeft));
        return Duration.ofMillis(Math.max(MINIMUM_SAMPLE_MILLIS, millis));
    }

    /** The next amount to notice: just above the warning threshold, and after the warning the limit. */
    private long goal(Limit<?> limit) {
        long limitMillis = limit.amountIn(limits);
        return hasWarned(limit) ? limitMillis : Math.min(limitMillis, (long) (thresholds.of(limit) * limitMillis) + 1);
    }

    private boolean hasWarned(Limit<?> limit) {
        return warned.contains(new OfLimit(limit));
    }

    /** How long ago the last sample was. */
    Duration unmeasured(long nowMillis) {
        return Duration.ofMillis(nowMillis - sampledAtMillis);
    }

    /** The usage of all limits, except times that pass by themselves. */
    Usage usage(long keptOutputBytes) {
        return measured.usage().with(Limit.OUTPUT, keptOutputBytes);
    }
}
