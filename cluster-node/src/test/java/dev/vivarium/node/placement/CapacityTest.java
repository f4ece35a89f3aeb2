package dev.vivarium.node.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import org.junit.jupiter.api.Test;

class CapacityTest {
    @Test
    void aRunTakesOpenFilesByItsMemory() {
        assertThat(Capacity.openFilesOf(512L << 20, 128, 4096)).isEqualTo(52_428);
    }

    @Test
    void aProcessMayAlwaysHaveWhatItsLimitSays() {
        assertThat(Capacity.openFilesOf(16L << 20, 128, 4096)).isEqualTo(4_096);
    }

    @Test
    void aRunTakesNoMoreThanItsProcessesMayHaveTogether() {
        assertThat(Capacity.openFilesOf(8L << 30, 4, 1024)).isEqualTo(4_096);
    }

    @Test
    void aProcessAlsoTakesTheNumbersOfItsGroupAndItsSession() {
        Limits limits = Limits.SMALLEST.with(Limit.PIDS, "4096");

        Capacity asked = Capacity.askedBy(limits, Isolation.CONTAINER, 0);

        // A leader may have ended, and its number stays taken: three such runs would fill a table of 32,768.
        assertThat(asked.processes()).isEqualTo(3 * 4096 + 1);
    }

    @Test
    void withoutRoomForItsOpenFilesARunWaits() {
        Capacity asked = new Capacity(1, 64, 500, 10, 4_096);

        assertThat(new Capacity(9, 640, 5_000, 100, 4_096).covers(asked)).isTrue();
        assertThat(new Capacity(9, 640, 5_000, 100, 4_095).covers(asked)).isFalse();
    }

    @Test
    void aDiskIsMemoryUpToASizeAndBytesOfADiskAboveIt() {
        Limits small = Limits.SMALLEST.with(Limit.MEMORY, "64Mi").with(Limit.DISK, "512Mi");
        Limits large = small.with(Limit.DISK, "513Mi");

        Capacity inMemory = Capacity.askedBy(small, Isolation.CONTAINER, 512L << 20);
        Capacity onDisk = Capacity.askedBy(large, Isolation.CONTAINER, 512L << 20);

        assertThat(inMemory.memoryBytes()).isEqualTo(576L << 20);
        assertThat(inMemory.diskBytes()).isZero();
        assertThat(onDisk.memoryBytes()).isEqualTo(64L << 20);
        assertThat(onDisk.diskBytes()).isEqualTo(513L << 20);
        assertThat(new Capacity(9, 1L << 30, 1_000, 100, 10_000).covers(onDisk)).isFalse();
        assertThat(new Capacity(9, 1L << 30, 1_000, 100, 10_000, 1L << 30).covers(onDisk))
                .isTrue();
    }

    @Test
    void theScarcestResourceSaysHowMuchIsLeft() {
        Capacity all = new Capacity(10, 1000, 1000, 1000, 1000);

        assertThat(all.shareLeft(new Capacity(1, 100, 100, 100, 900))).isEqualTo(0.1);
        assertThat(new Capacity(10, 1000, 1000).shareLeft(new Capacity(1, 100, 100, 0, 900)))
                .isEqualTo(0.9);
    }
}
