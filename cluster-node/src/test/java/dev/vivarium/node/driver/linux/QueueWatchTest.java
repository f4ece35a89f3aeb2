package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QueueWatchTest {
    @TempDir
    private Path kernel;

    private long now;
    private QueueWatch watch;

    @BeforeEach
    void aQuietSandbox() throws IOException {
        slab(100);
        queued(0);
        watch = new QueueWatch(
                new UncountedQueues(kernel), new KernelSlab(kernel.resolve("meminfo"), () -> now), () -> now);
        assertThat(watch.bytes()).isZero();
    }

    private void slab(long mebibytes) throws IOException {
        Files.writeString(kernel.resolve("meminfo"), "Slab: 1 kB\nSUnreclaim:     " + (mebibytes << 10) + " kB\n");
    }

    private void queued(long bytes) throws IOException {
        Files.writeString(
                kernel.resolve("netlink"),
                "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n00 0 1 00000000 " + bytes + " 0 0 2 0 53\n");
    }

    private void after(long millis) {
        now += millis * 1_000_000;
    }

    @Test
    void growthOfKernelMemoryTriggersAScan() throws IOException {
        queued(50 << 20);
        slab(150);
        after(250);

        assertThat(watch.bytes()).isEqualTo(50 << 20);
    }

    @Test
    void fullQueuesAreScannedEachTime() throws IOException {
        queued(50 << 20);
        slab(150);
        after(250);
        watch.bytes();
        queued(60 << 20);
        after(250);

        assertThat(watch.bytes()).isEqualTo(60 << 20);
    }

    @Test
    void aQuietMachineIsScannedEveryTwoSeconds() throws IOException {
        queued(1 << 20);
        after(250);
        assertThat(watch.bytes()).isZero();
        after(2000);

        assertThat(watch.bytes()).isEqualTo(1 << 20);
    }

    @Test
    void growthCountsFromTheLastMinimum() throws IOException {
        slab(60);
        after(250);
        watch.bytes();
        queued(30 << 20);
        slab(90);
        after(250);

        assertThat(watch.bytes()).isEqualTo(30 << 20);
    }
}
