package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.network.EgressUse;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class LimitWatchTest {
    private static final long MIB = 1 << 20;
    private static final Limits LIMITS = Limits.SMALLEST
            .with(Limit.WALL_CLOCK, "60s")
            .with(Limit.IDLE, "10s")
            .with(Limit.CPU, "2")
            .with(Limit.CPU_TIME, "5s")
            .with(Limit.MEMORY, "100Mi")
            .with(Limit.SHARED_MEMORY, "10Mi")
            .with(Limit.PIDS, 20L)
            .with(Limit.DISK, "50Mi")
            .with(Limit.FILES, 100L)
            .with(Limit.OUTPUT, "1Mi")
            .with(Limit.EGRESS_REQUESTS, 1000L)
            .with(Limit.EGRESS_BYTES, "10Mi");
    private static final EgressScanAlarm SCAN = new EgressScanAlarm(3, Consequence.NOTED);
    private static final LimitWatch.Thresholds THRESHOLDS = new LimitWatch.Thresholds(
            0.9, 0.9, new OutputRateAlarm(1_000, Duration.ofSeconds(2), Consequence.NOTED), SCAN);

    private static final Duration QUARTER = Duration.ofMillis(250);

    @Test
    void anAttemptWithinItsLimitsIsLeftAlone() {
        LimitWatch watch = watch().sampled(sample(4_999, 100 * MIB, 0), 1_000);

        assertThat(watch.breach()).isEmpty();
    }

    @Test
    void exhaustedInodesAreABreachWithTheirNumber() {
        LimitWatch watch = watch().reported(new GuestFrame.Use(Limit.FILES, 100, GuestFrame.Pressure.FULL));

        assertThat(watch.breach()).contains(new LimitWatch.Breach(KillReason.FILES, Measurement.count(100, 100)));
        assertThat(watch.usage(0).get(Limit.FILES)).isEqualTo(100);
    }

    @Test
    void moreFilesThanTheLimitAreABreachWhereNoKernelRefusesThem() {
        LimitWatch atTheLimit = watch().reported(new GuestFrame.Use(Limit.FILES, 100, GuestFrame.Pressure.NONE));

        assertThat(atTheLimit.breach()).isEmpty();
        assertThat(atTheLimit
                        .reported(new GuestFrame.Use(Limit.FILES, 101, GuestFrame.Pressure.NONE))
                        .breach())
                .contains(new LimitWatch.Breach(KillReason.FILES, Measurement.count(101, 100)));
    }

    @Test
    void sharedMemoryWarnsAndIsABreachWhenFullAlthoughMoreMemoryIsLeft() {
        LimitWatch near =
                watch().reported(new GuestFrame.Use(Limit.SHARED_MEMORY, 10 * MIB - 1, GuestFrame.Pressure.NONE));
        LimitWatch full = near.reported(new GuestFrame.Use(Limit.SHARED_MEMORY, 10 * MIB, GuestFrame.Pressure.FULL));

        assertWarns(near, KillReason.SHARED_MEMORY, Measurement.bytes(10 * MIB - 1, 10 * MIB));
        assertThat(full.breach())
                .contains(new LimitWatch.Breach(KillReason.SHARED_MEMORY, Measurement.bytes(10 * MIB, 10 * MIB)));
    }

    @Test
    void reportsOfTheGuestAreIgnoredForLimitsThatTheNodeMeasures() {
        LimitWatch watch = watch();
        for (Limit<?> limit : Limit.ALL) {
            if (limit != Limit.DISK && limit != Limit.FILES && limit != Limit.SHARED_MEMORY) {
                assertThat(watch.reported(new GuestFrame.Use(limit, 1L << 60, GuestFrame.Pressure.FULL))
                                .breach())
                        .as(limit.name())
                        .isEmpty();
            }
        }
    }

    @Test
    void manyFilesAreWarnedOfOnceAndTheirPeakIsKept() {
        LimitWatch watch = watch().reported(new GuestFrame.Use(Limit.FILES, 91, GuestFrame.Pressure.NONE));

        assertWarns(watch, KillReason.FILES, Measurement.count(91, 100));
        LimitWatch fewer = watch.reported(new GuestFrame.Use(Limit.FILES, 3, GuestFrame.Pressure.NONE));
        assertThat(fewer.breach()).isEmpty();
        assertThat(fewer.usage(0).get(Limit.FILES)).isEqualTo(91);
    }

    @Test
    void memoryAboveItsLimitIsABreachWithTheValueSeen() {
        LimitWatch watch = watch().sampled(sample(10, 101 * MIB, 0), 1_000);

        assertThat(watch.breach())
                .contains(new LimitWatch.Breach(KillReason.MEMORY, Measurement.bytes(101 * MIB, 100 * MIB)));
    }

    @Test
    void filesOfTheWorkspaceCountAsDiskAndNotAsMemory() {
        LimitWatch watch = watch().reported(new GuestFrame.Use(Limit.DISK, 40 * MIB, GuestFrame.Pressure.NONE))
                .sampled(sample(10, 90 * MIB, 45 * MIB), 1_000);

        assertThat(watch.measured().against(Limit.MEMORY)).isEqualTo(95 * MIB);
        assertThat(watch.breach()).isEmpty();
    }

    @Test
    void filesOnADiskAreNoPartOfSharedMemory() {
        SandboxSample onDisk = new SandboxSample(10, 90 * MIB, 45 * MIB, 150 * MIB, 2, 2, 0, 0)
                .storing(OptionalLong.of(40 * MIB))
                .onDisk();
        LimitWatch watch = watch().reported(new GuestFrame.Use(Limit.DISK, 40 * MIB, GuestFrame.Pressure.NONE))
                .sampled(withoutNetwork(onDisk), 1_000);

        assertThat(watch.measured().against(Limit.DISK)).isEqualTo(40 * MIB);
        assertThat(watch.breach()).map(LimitWatch.Breach::reason).contains(KillReason.MEMORY);
        assertThat(watch.breach().get().measurement()).isEqualTo(Measurement.bytes(135 * MIB, 100 * MIB));
    }

    /** The guest measures ten times a second: files that come and go in between are never reported. */
    @Test
    void filesOfABurstCountAsDiskWhenSampled() {
        SandboxSample burst =
                new SandboxSample(10, 5 * MIB, 45 * MIB, 52 * MIB, 1, 1, 0, 0).storing(OptionalLong.of(45 * MIB));
        LimitWatch watch = watch().sampled(withoutNetwork(burst), 250);

        assertThat(watch.usage(0).get(Limit.MEMORY)).isEqualTo(7 * MIB);
        assertThat(watch.usage(0).get(Limit.DISK)).isEqualTo(45 * MIB);
    }

    /** gVisor keeps files in its own memory, and the guest tells of them after they were written. */
    @Test
    void inAKernelOfItsOwnFilesThatTheGuestTellsOfLaterAreNoMemory() {
        LimitWatch watch = ofOwnKernel()
                .reported(stored(3))
                .sampled(sample(10, 60 * MIB, 45 * MIB), 250)
                .reported(stored(45));
        assertThat(watch.breach()).isEmpty();

        LimitWatch later = watch.reported(stored(46)).sampled(sample(10, 60 * MIB, 46 * MIB), 500);

        assertThat(later.breach()).isEmpty();
        assertThat(later.usage(0).get(Limit.MEMORY)).isEqualTo(60 * MIB);
    }

    @Test
    void inAKernelOfItsOwnFilesThatAreFreedLaterAreNoMemory() {
        LimitWatch watch = ofOwnKernel()
                .reported(stored(45))
                .sampled(sample(10, 60 * MIB, 46 * MIB), 250)
                .reported(stored(0))
                .reported(stored(0))
                .sampled(sample(10, 60 * MIB, 46 * MIB), 500);
        assertThat(watch.breach()).isEmpty();

        assertThat(watch.reported(stored(0))
                        .reported(stored(0))
                        .sampled(sample(10, 60 * MIB, MIB), 750)
                        .breach())
                .isEmpty();
    }

    /** A guest looks rarely while nothing changes, and late on a busy machine. */
    @Test
    void inAKernelOfItsOwnFilesOfABurstThatTheGuestHasNotSeenYetAreNoMemory() {
        LimitWatch watch = ofOwnKernel().reported(stored(0));
        for (int sample = 1; sample <= 10; sample++) {
            watch = watch.sampled(sample(10, 60 * MIB, 45 * MIB), sample * 250L);
            assertThat(watch.breach()).isEmpty();
        }
        // This look may have begun before the first sample.
        watch = watch.reported(stored(0)).sampled(sample(10, 60 * MIB, 45 * MIB), 2750);
        assertThat(watch.breach()).isEmpty();

        watch = watch.reported(stored(45)).sampled(sample(10, 60 * MIB, 45 * MIB), 3000);

        assertThat(watch.breach()).isEmpty();
        assertThat(watch.usage(0).get(Limit.MEMORY)).isEqualTo(60 * MIB);
    }

    @Test
    void inAKernelOfItsOwnMemoryAboveTheLimitIsABreachWhenTheGuestHasLookedSince() {
        LimitWatch watch = ofOwnKernel()
                .reported(stored(20))
                .sampled(sample(10, 5 * MIB, 130 * MIB), 250)
                .reported(stored(20))
                .sampled(sample(10, 5 * MIB, 130 * MIB), 500);
        assertThat(watch.breach()).isEmpty();

        assertThat(watch.reported(stored(20))
                        .sampled(sample(10, 5 * MIB, 130 * MIB), 750)
                        .breach())
                .contains(new LimitWatch.Breach(KillReason.MEMORY, Measurement.bytes(115 * MIB, 100 * MIB)));
    }

    /** An agent may leave its guest no time. */
    @Test
    void inAKernelOfItsOwnMemoryAboveTheLimitIsABreachAlthoughTheGuestTellsNothing() {
        LimitWatch watch = ofOwnKernel()
                .sampled(sample(10, 5 * MIB, 130 * MIB), 250)
                .sampled(sample(10, 5 * MIB, 130 * MIB), 5000);
        assertThat(watch.breach()).isEmpty();

        assertThat(watch.sampled(sample(10, 5 * MIB, 130 * MIB), 5250).breach())
                .contains(new LimitWatch.Breach(KillReason.MEMORY, Measurement.bytes(135 * MIB, 100 * MIB)));
    }

    @Test
    void inAKernelOfItsOwnAKillOfTheKernelIsABreachAtOnce() {
        SandboxSample killed = new SandboxSample(10, MIB, 0, 150 * MIB, 2, 2, 1, 0);

        assertThat(ofOwnKernel().sampled(withoutNetwork(killed), 250).breach())
                .contains(new LimitWatch.Breach(KillReason.MEMORY, Measurement.bytes(100 * MIB, 100 * MIB)));
    }

    private static LimitWatch ofOwnKernel() {
        return LimitWatch.of(LIMITS, THRESHOLDS, Isolation.GVISOR);
    }

    private static GuestFrame.Use stored(long mebibytes) {
        return new GuestFrame.Use(Limit.DISK, mebibytes * MIB, GuestFrame.Pressure.NONE);
    }

    @Test
    void sharedMemoryOutsideFilesCountsAsMemory() {
        LimitWatch watch = watch().sampled(sample(10, 60 * MIB, 60 * MIB), 1_000);

        assertThat(watch.breach()).map(LimitWatch.Breach::reason).contains(KillReason.MEMORY);
    }

    @Test
    void theFirstKillForMemoryIsABreachHoweverLittleIsUsedAfterwards() {
        SandboxSample afterwards = new SandboxSample(10, MIB, 0, 150 * MIB, 2, 2, 1, 0);
        LimitWatch watch = watch().sampled(withoutNetwork(afterwards), 1_000);

        assertThat(watch.breach())
                .contains(new LimitWatch.Breach(KillReason.MEMORY, Measurement.bytes(100 * MIB, 100 * MIB)));
    }

    @Test
    void aRefusedForkIsAPidsBreach() {
        LimitWatch watch = watch().sampled(withoutNetwork(new SandboxSample(10, MIB, 0, MIB, 5, 5, 0, 7)), 1_000);

        assertThat(watch.breach()).contains(new LimitWatch.Breach(KillReason.PIDS, Measurement.count(20, 20)));
    }

    @Test
    void aFullWorkspaceIsADiskBreach() {
        LimitWatch watch = watch().reported(new GuestFrame.Use(Limit.DISK, 50 * MIB, GuestFrame.Pressure.FULL));

        assertThat(watch.breach())
                .contains(new LimitWatch.Breach(KillReason.DISK, Measurement.bytes(50 * MIB, 50 * MIB)));
    }

    @Test
    void theFirstByteOfOutputAboveTheLimitIsABreach() {
        LimitWatch atTheLimit = watch().printed(MIB, 1_000);

        assertThat(atTheLimit.breach()).isEmpty();
        assertThat(atTheLimit.printed(1, 1_000).breach())
                .contains(new LimitWatch.Breach(KillReason.OUTPUT, Measurement.bytes(MIB + 1, MIB)));
    }

    @Test
    void usedUpProcessorTimeIsABreach() {
        LimitWatch watch = watch().sampled(sample(5_000, MIB, 0), 3_000);

        assertThat(watch.breach())
                .contains(new LimitWatch.Breach(KillReason.CPU_TIME, Measurement.millis(5_000, 5_000)));
    }

    @Test
    void anAgentThatNeitherPrintsNorComputesIsIdle() {
        LimitWatch watch = watch().printed(10, 2_000);

        assertThat(watch.sampled(sample(20, MIB, 0), 11_999).breach()).isEmpty();
        assertThat(watch.sampled(sample(20, MIB, 0), 12_000).breach())
                .contains(new LimitWatch.Breach(KillReason.IDLE, Measurement.millis(10_000, 10_000)));
    }

    @Test
    void anAgentThatCannotBeMeasuredIsUnmeasuredAndNotIdle() {
        LimitWatch watch = watch().sampled(sample(500, MIB, 0), 1_000)
                .reported(new GuestFrame.Use(Limit.DISK, MIB, GuestFrame.Pressure.NONE));

        assertThat(watch.breach()).isEmpty();
        assertThat(watch.unmeasured(50_000)).isEqualTo(Duration.ofSeconds(49));
    }

    @Test
    void idlenessIsNoBreachAtAnExit() {
        LimitWatch watch = watch().sampled(sample(20, MIB, 0), 12_000);

        assertThat(watch.breach()).isPresent();
        assertThat(watch.breachAtExit()).isEmpty();
    }

    @Test
    void anAgentThatStoresTransfersOrReadsItsInputIsNotIdle() {
        SandboxSample quiet = new SandboxSample(0, MIB, 0, MIB, 2, 2, 0, 0);
        LimitWatch before = watch().sampled(withoutNetwork(quiet), 9_000);

        LimitWatch storing = before.reported(new GuestFrame.Use(Limit.FILES, 3, GuestFrame.Pressure.NONE))
                .sampled(withoutNetwork(quiet), 9_500);
        LimitWatch transferring = before.sampled(new SandboxUse(quiet, moving(10, 0)), 9_500);
        LimitWatch reading = before.read(9_500);
        LimitWatch rewriting = before.sampled(withoutNetwork(quiet.writing(18)), 9_500);

        for (LimitWatch active : List.of(storing, transferring, reading, rewriting)) {
            assertThat(active.activeAtMillis()).isEqualTo(9_500);
        }
        assertThat(before.sampled(withoutNetwork(quiet), 10_000).breach())
                .map(LimitWatch.Breach::reason)
                .contains(KillReason.IDLE);
    }

    @Test
    void aProcessThatEndsTakesItsCountsWithItAndIsNoSignOfWork() {
        SandboxSample quiet = new SandboxSample(0, MIB, 0, MIB, 2, 2, 0, 0);
        LimitWatch before = watch().sampled(withoutNetwork(quiet.writing(4_096)), 3_000);

        assertThat(before.sampled(withoutNetwork(quiet.writing(18)), 9_000).activeAtMillis())
                .isEqualTo(3_000);
    }

    @Test
    void anAgentThatComputesIsNotIdle() {
        LimitWatch watch = watch().sampled(sample(1_500, MIB, 0), 12_000);

        assertThat(watch.breach()).isEmpty();
    }

    @Test
    void theNextSampleIsSoonerWhenProcessorTimeIsNearItsLimit() {
        LimitWatch fresh = watch();
        LimitWatch nearWarning = fresh.sampled(sample(4_400, MIB, 0), 3_000);
        LimitWatch nearLimit =
                fresh.sampled(sample(4_900, MIB, 0), 3_000).warn(3_000).watch();

        assertThat(fresh.nextSample(QUARTER, 0)).isEqualTo(QUARTER);
        assertThat(nearWarning.nextSample(QUARTER, 3_000)).isEqualTo(Duration.ofMillis(50));
        assertThat(nearLimit.nextSample(QUARTER, 3_000)).isEqualTo(Duration.ofMillis(50));
    }

    @Test
    void theNextSampleIsWhenIdlenessOrTheWallClockReachesItsThreshold() {
        LimitWatch watch = watch().printed(1, 53_950);

        assertThat(watch.nextSample(QUARTER, 53_960)).isEqualTo(Duration.ofMillis(41));
        assertThat(watch.warn(54_001).watch().nextSample(QUARTER, 54_001)).isEqualTo(QUARTER);
        LimitWatch waiting = watch().sampled(sample(0, MIB, 0), 8_900);
        assertThat(waiting.nextSample(QUARTER, 8_900)).isEqualTo(Duration.ofMillis(101));
    }

    // ---- warnings

    @Test
    void anAgentFarFromItsLimitsIsNotWarnedOf() {
        LimitWatch watch = watch().sampled(
                        withoutNetwork(new SandboxSample(4_500, 90 * MIB, 0, 90 * MIB, 19, 19, 0, 0)), 1_000)
                .reported(new GuestFrame.Use(Limit.DISK, 45 * MIB, GuestFrame.Pressure.NONE))
                .printed(2_000, 1_000);

        assertThat(watch.warn(54_000).warnings()).isEmpty();
    }

    @Test
    void memoryNearItsLimitIsWarnedOf() {
        assertWarns(
                watch().sampled(sample(10, 95 * MIB, 0), 1_000),
                KillReason.MEMORY,
                Measurement.bytes(95 * MIB, 100 * MIB));
    }

    @Test
    void processesNearTheirLimitAreWarnedOfEvenIfTheyEndedBeforeTheSample() {
        assertWarns(
                watch().sampled(withoutNetwork(new SandboxSample(10, MIB, 0, MIB, 2, 20, 0, 0)), 1_000),
                KillReason.PIDS,
                Measurement.count(19, 20));
    }

    @Test
    void aDiskThatIsNearlyFullIsWarnedOf() {
        assertWarns(
                watch().reported(new GuestFrame.Use(Limit.DISK, 46 * MIB, GuestFrame.Pressure.NONE)),
                KillReason.DISK,
                Measurement.bytes(46 * MIB, 50 * MIB));
    }

    @Test
    void outputNearItsLimitIsWarnedOf() {
        LimitWatch slowly = LimitWatch.of(
                        LIMITS,
                        new LimitWatch.Thresholds(
                                0.9, 0.9, new OutputRateAlarm(MIB, Duration.ofSeconds(2), Consequence.NOTED), SCAN),
                        Isolation.CONTAINER)
                .printed(1_000_000, 1_000);

        assertWarns(slowly, KillReason.OUTPUT, Measurement.bytes(1_000_000, MIB));
    }

    @Test
    void processorTimeNearItsLimitIsWarnedOf() {
        assertWarns(
                watch().sampled(sample(4_600, MIB, 0), 3_000), KillReason.CPU_TIME, Measurement.millis(4_600, 5_000));
    }

    @Test
    void idlenessNearItsLimitIsWarnedOf() {
        assertWarns(watch().sampled(sample(1, MIB, 0), 9_001), KillReason.IDLE, Measurement.millis(9_001, 10_000));
    }

    @Test
    void aDeadlineThatIsNearIsWarnedOf() {
        LimitWatch busy = watch().printed(1, 54_000);

        assertThat(busy.warn(54_001).warnings())
                .containsExactly(new LimitWatch.Breach(KillReason.WALL_CLOCK, Measurement.millis(54_001, 60_000)));
    }

    @Test
    void outputFasterThanTheThresholdIsWarnedOfButNoBreach() {
        LimitWatch watch = watch();
        for (int at = 0; at < 2_000; at += 100) {
            watch = watch.printed(100, at);
        }
        assertThat(watch.warn(2_000).warnings()).as("exactly at the threshold").isEmpty();

        LimitWatch fast = watch.printed(2, 1_999);

        assertWarns(fast, KillReason.OUTPUT, Measurement.bytesPerSecond(1_001, 1_000));
        assertThat(fast.breach()).isEmpty();
    }

    @Test
    void outputInBurstsIsAveragedOverTheWindow() {
        LimitWatch watch = watch();
        for (int at = 0; at < 20_000; at += 2_000) {
            watch = watch.printed(2_000, at);

            assertThat(watch.warn(at).warnings()).isEmpty();
        }
    }

    @Test
    void moreConnectionsThanAllowedAreABreach() {
        assertThat(watch().sampled(
                                using(new EgressUse(
                                        1_000, EgressUse.Reached.NOTHING, EgressUse.Traffic.NOTHING, 0, 0, List.of())),
                                1_000)
                        .breach())
                .isEmpty();
        assertThat(watch().sampled(
                                using(new EgressUse(
                                        1_001, EgressUse.Reached.NOTHING, EgressUse.Traffic.NOTHING, 0, 0, List.of())),
                                1_000)
                        .breach())
                .contains(new LimitWatch.Breach(KillReason.EGRESS_REQUESTS, Measurement.count(1_001, 1_000)));
    }

    @Test
    void moreBytesOverTheNetworkThanAllowedAreABreach() {
        assertThat(watch().sampled(using(moving(4 << 20, 6 << 20)), 1_000).breach())
                .isEmpty();
        assertThat(watch().sampled(using(moving(4 << 20, (6 << 20) + 1)), 1_000).breach())
                .contains(new LimitWatch.Breach(KillReason.EGRESS_BYTES, Measurement.bytes((10 << 20) + 1, 10 << 20)));
    }

    private static EgressUse moving(long bytesOut, long bytesIn) {
        return new EgressUse(1, EgressUse.Reached.NOTHING, new EgressUse.Traffic(bytesOut, bytesIn), 0, 0, List.of());
    }

    @Test
    void deniedAttemptsAtManyDestinationsAreAScan() {
        LimitWatch trying = watch().sampled(
                        using(new EgressUse(
                                0, EgressUse.Reached.NOTHING, EgressUse.Traffic.NOTHING, 100, 3, List.of())),
                        1_000);
        LimitWatch scanning = watch().sampled(
                        using(new EgressUse(0, EgressUse.Reached.NOTHING, EgressUse.Traffic.NOTHING, 4, 4, List.of())),
                        1_000);

        assertThat(trying.warn(1_000).warnings()).isEmpty();
        assertWarns(scanning, KillReason.EGRESS_SCAN, Measurement.count(4, 3));
        assertThat(scanning.breach()).isEmpty();
    }

    @Test
    void anOperatorCanMakeAScanABreach() {
        LimitWatch.Thresholds deadly = new LimitWatch.Thresholds(
                0.9,
                0.9,
                new OutputRateAlarm(1_000, Duration.ofSeconds(2), Consequence.NOTED),
                new EgressScanAlarm(3, Consequence.KILL));
        LimitWatch watch = LimitWatch.of(LIMITS, deadly, Isolation.CONTAINER)
                .sampled(
                        using(new EgressUse(0, EgressUse.Reached.NOTHING, EgressUse.Traffic.NOTHING, 4, 4, List.of())),
                        1_000);

        assertThat(watch.breach()).contains(new LimitWatch.Breach(KillReason.EGRESS_SCAN, Measurement.count(4, 3)));
    }

    private static SandboxUse using(EgressUse egress) {
        return new SandboxUse(sample(10, MIB, 0).sample(), egress);
    }

    @Test
    void anOperatorCanMakeTheOutputRateABreach() {
        LimitWatch.Thresholds deadly = new LimitWatch.Thresholds(
                0.9, 0.9, new OutputRateAlarm(1_000, Duration.ofSeconds(2), Consequence.KILL), SCAN);
        LimitWatch watch = LimitWatch.of(LIMITS, deadly, Isolation.CONTAINER).printed(2_002, 100);

        assertThat(watch.breach())
                .contains(new LimitWatch.Breach(KillReason.OUTPUT, Measurement.bytesPerSecond(1_001, 1_000)));
        assertThat(watch.breachAtExit()).isEqualTo(watch.breach());
    }

    @Test
    void thresholdsReachedTogetherAreWarnedOfTogether() {
        LimitWatch watch = watch().sampled(sample(4_600, 95 * MIB, 0), 3_000).printed(5_000, 3_000);

        assertThat(watch.warn(3_000).warnings())
                .extracting(LimitWatch.Breach::reason)
                .containsExactly(KillReason.MEMORY, KillReason.OUTPUT, KillReason.CPU_TIME);
    }

    @Test
    void anAgentOscillatingAroundThresholdsIsWarnedOnceForEach() {
        LimitWatch watch = watch();
        int warnings = 0;
        for (int round = 0; round < 1_000; round++) {
            long at = round * 5_000L;
            watch = watch.sampled(withoutNetwork(new SandboxSample(1, 95 * MIB, 0, 95 * MIB, 20, 20, 0, 0)), at)
                    .reported(new GuestFrame.Use(Limit.DISK, 46 * MIB, GuestFrame.Pressure.NONE))
                    .printed(5_000, at);
            warnings += watch.warn(0).warnings().size();
            watch = watch.warn(0)
                    .watch()
                    .sampled(withoutNetwork(new SandboxSample(1, MIB, 0, 95 * MIB, 2, 20, 0, 0)), at + 2_500)
                    .reported(new GuestFrame.Use(Limit.DISK, MIB, GuestFrame.Pressure.NONE));
        }

        // memory, pids, disk, rate of output, and total output
        assertThat(warnings).isEqualTo(5);
    }

    private static void assertWarns(LimitWatch watch, KillReason reason, Measurement measurement) {
        LimitWatch.Warned warned = watch.warn(1_000);
        assertThat(warned.warnings()).containsExactly(new LimitWatch.Breach(reason, measurement));
        assertThat(warned.watch().warn(1_000).warnings()).as("said twice").isEmpty();
        assertThat(watch.breach()).isEmpty();
    }

    // ---- usage

    @Test
    void aRunWithoutASampleHasOneProcess() {
        assertThat(watch().usage(0).get(Limit.PIDS)).isEqualTo(1);
    }

    @Test
    void processesThatEndedBeforeTheLastSampleAreInTheUsage() {
        LimitWatch watch = watch().sampled(withoutNetwork(new SandboxSample(1, 0, 0, MIB, 1, 9, 0, 0)), 10);

        assertThat(watch.usage(0).get(Limit.PIDS)).isEqualTo(8);
    }

    @Test
    void theMemoryPeakIsTheKernelsUpToTheLimit() {
        LimitWatch small = watch().sampled(withoutNetwork(new SandboxSample(1, 0, 0, 9 * MIB, 1, 1, 0, 0)), 10);
        LimitWatch cached = watch().sampled(withoutNetwork(new SandboxSample(1, 0, 0, 140 * MIB, 1, 1, 0, 0)), 10);

        assertThat(small.usage(0).get(Limit.MEMORY)).isEqualTo(9 * MIB);
        assertThat(cached.usage(0).get(Limit.MEMORY)).isEqualTo(100 * MIB);
    }

    @Test
    void tooManyProcessesAreAPidsBreachWhereOnlyTheGuestCanCount() {
        LimitWatch atTheLimit = ofOwnKernel().reported(processes(20));

        assertThat(atTheLimit.breach()).isEmpty();
        assertThat(atTheLimit.reported(processes(21)).reported(processes(1)).breach())
                .contains(new LimitWatch.Breach(KillReason.PIDS, Measurement.count(21, 20)));
    }

    private static GuestFrame.Use processes(long count) {
        return new GuestFrame.Use(Limit.PIDS, count, GuestFrame.Pressure.NONE);
    }

    /** A sandbox's own kernel uses CPU time while its agent sleeps; on the host's kernel that much is activity. */
    @Test
    void activityOfTheSandboxesOwnKernelDoesNotPreventIdleness() {
        SandboxSample after = sample(120, MIB, 0).sample();

        assertThat(watch().sampled(withoutNetwork(after), 10_000).breach()).isEmpty();
        assertThat(ofOwnKernel().sampled(withoutNetwork(after), 10_000).breach())
                .map(LimitWatch.Breach::reason)
                .contains(KillReason.IDLE);
    }

    private static LimitWatch watch() {
        return LimitWatch.of(LIMITS, THRESHOLDS, Isolation.CONTAINER);
    }

    private static SandboxUse withoutNetwork(SandboxSample sample) {
        return new SandboxUse(sample, EgressUse.NOTHING);
    }

    private static SandboxUse sample(long cpuMillis, long anonymousBytes, long sharedBytes) {
        return withoutNetwork(new SandboxSample(cpuMillis, anonymousBytes, sharedBytes, anonymousBytes, 2, 2, 0, 0));
    }
}
