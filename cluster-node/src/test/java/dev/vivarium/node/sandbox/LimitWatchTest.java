package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.TimeSpan;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LimitWatchTest {
    private static final long MIB = 1 << 20;
    private static final Limits LIMITS = new Limits(
            TimeSpan.ofSeconds(60),
            TimeSpan.ofSeconds(10),
            CpuQuota.parse("2"),
            TimeSpan.ofSeconds(5),
            ByteSize.ofMebibytes(100),
            20,
            ByteSize.ofMebibytes(50),
            ByteSize.ofMebibytes(1),
            1000);

    @Test
    void anAttemptWithinItsLimitsIsLeftAlone() {
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(sample(4_999, 100 * MIB, 0), 1_000);

        assertThat(watch.breach(1_000)).isEmpty();
    }

    @Test
    void memoryAboveItsLimitIsABreachWithTheValueSeen() {
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(sample(10, 101 * MIB, 0), 1_000);

        assertThat(watch.breach(1_000))
                .contains(new LimitWatch.Breach(KillReason.MEMORY, Measurement.bytes(101 * MIB, 100 * MIB)));
    }

    @Test
    void filesOfTheWorkspaceAreDiskAndNotMemory() {
        LimitWatch watch = LimitWatch.of(LIMITS)
                .disk(new GuestFrame.Disk(40 * MIB, 50 * MIB, GuestFrame.Pressure.NONE))
                .sampled(sample(10, 90 * MIB, 45 * MIB), 1_000);

        assertThat(watch.memoryBytes()).isEqualTo(95 * MIB);
        assertThat(watch.breach(1_000)).isEmpty();
    }

    @Test
    void sharedMemoryThatIsNoFileIsMemory() {
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(sample(10, 60 * MIB, 60 * MIB), 1_000);

        assertThat(watch.breach(1_000)).map(LimitWatch.Breach::reason).contains(KillReason.MEMORY);
    }

    @Test
    void theKernelsFirstKillForMemoryEndsTheRunHoweverLittleIsUsedAfterwards() {
        SandboxSample afterwards = new SandboxSample(10, MIB, 0, 150 * MIB, 2, 1, 0);
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(afterwards, 1_000);

        assertThat(watch.breach(1_000))
                .contains(new LimitWatch.Breach(KillReason.MEMORY, Measurement.bytes(100 * MIB, 100 * MIB)));
    }

    @Test
    void aRefusedForkIsAPidsBreach() {
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(new SandboxSample(10, MIB, 0, MIB, 21, 0, 7), 1_000);

        assertThat(watch.breach(1_000)).contains(new LimitWatch.Breach(KillReason.PIDS, Measurement.count(20, 20)));
    }

    @Test
    void aFullWorkspaceIsADiskBreach() {
        LimitWatch watch =
                LimitWatch.of(LIMITS).disk(new GuestFrame.Disk(50 * MIB, 50 * MIB, GuestFrame.Pressure.FULL));

        assertThat(watch.breach(1_000))
                .contains(new LimitWatch.Breach(KillReason.DISK, Measurement.bytes(50 * MIB, 50 * MIB)));
    }

    @Test
    void outputIsBreachedByTheFirstByteAboveTheLimit() {
        LimitWatch atTheLimit = LimitWatch.of(LIMITS).printed(MIB, 1_000);

        assertThat(atTheLimit.breach(1_000)).isEmpty();
        assertThat(atTheLimit.printed(1, 1_000).breach(1_000))
                .contains(new LimitWatch.Breach(KillReason.OUTPUT, Measurement.bytes(MIB + 1, MIB)));
    }

    @Test
    void usedUpProcessorTimeIsABreach() {
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(sample(5_000, MIB, 0), 3_000);

        assertThat(watch.breach(3_000))
                .contains(new LimitWatch.Breach(KillReason.CPU_TIME, Measurement.millis(5_000, 5_000)));
    }

    @Test
    void anAgentThatNeitherPrintsNorComputesIsIdle() {
        LimitWatch watch = LimitWatch.of(LIMITS).printed(10, 2_000).sampled(sample(20, MIB, 0), 12_000);

        assertThat(watch.breach(11_999)).isEmpty();
        assertThat(watch.breach(12_000))
                .contains(new LimitWatch.Breach(KillReason.IDLE, Measurement.millis(10_000, 10_000)));
    }

    @Test
    void anAgentThatComputesIsNotIdle() {
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(sample(1_500, MIB, 0), 12_000);

        assertThat(watch.breach(12_000)).isEmpty();
    }

    @Test
    void theNextLookComesBeforeProcessorTimeCanRunOut() {
        LimitWatch fresh = LimitWatch.of(LIMITS);
        LimitWatch nearly = fresh.sampled(sample(4_900, MIB, 0), 3_000);

        assertThat(fresh.nextSample(Duration.ofMillis(250), 0)).isEqualTo(Duration.ofMillis(250));
        assertThat(nearly.nextSample(Duration.ofMillis(250), 3_000)).isEqualTo(Duration.ofMillis(50));
    }

    @Test
    void aLimitThatIsNearlyReachedIsWarnedOf() {
        LimitWatch watch = LimitWatch.of(LIMITS).sampled(sample(10, 95 * MIB, 0), 1_000);

        assertThat(watch.warning(0.9)).map(LimitWatch.Breach::reason).contains(KillReason.MEMORY);
        assertThat(LimitWatch.of(LIMITS).warning(0.9)).isEmpty();
    }

    @Test
    void theMemoryPeakOfAShortRunIsTheKernelsUpToTheLimit() {
        LimitWatch small = LimitWatch.of(LIMITS).sampled(new SandboxSample(1, 0, 0, 9 * MIB, 1, 0, 0), 10);
        LimitWatch cached = LimitWatch.of(LIMITS).sampled(new SandboxSample(1, 0, 0, 140 * MIB, 1, 0, 0), 10);

        assertThat(small.usage(10, 0).memoryPeakBytes()).isEqualTo(9 * MIB);
        assertThat(cached.usage(10, 0).memoryPeakBytes()).isEqualTo(100 * MIB);
    }

    private static SandboxSample sample(long cpuMillis, long anonymousBytes, long sharedBytes) {
        return new SandboxSample(cpuMillis, anonymousBytes, sharedBytes, anonymousBytes, 2, 0, 0);
    }
}
