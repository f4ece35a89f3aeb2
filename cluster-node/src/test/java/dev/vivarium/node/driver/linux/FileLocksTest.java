package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileLocksTest {
    private static final long LOCK_BYTES = 192;

    @TempDir
    private Path kernel;

    private GroupProcesses group;
    private FileLocks locks;
    private long now;

    @BeforeEach
    void createKernelFiles() throws IOException {
        Files.writeString(kernel.resolve("cgroup.procs"), "12\n13\n");
        Files.writeString(kernel.resolve("objects"), FileLocks.WORTH_A_LOOK + " N0=" + FileLocks.WORTH_A_LOOK + "\n");
        Files.writeString(
                kernel.resolve("locks"),
                """
                1: POSIX  ADVISORY  WRITE 12 00:2a:7 0 0
                2: POSIX  ADVISORY  WRITE 12 00:2a:7 2 2
                2: -> POSIX  ADVISORY  WRITE 13 00:2a:7 2 2
                3: FLOCK  ADVISORY  WRITE 99 fe:00:9 0 EOF
                4: OFDLCK ADVISORY  READ -1 00:2a:8 0 EOF
                """);
        group = new GroupProcesses(kernel, kernel.resolve("cgroup.procs"), kernel.resolve("quota"), "max");
        locks = new FileLocks(kernel.resolve("objects"), kernel.resolve("locks"), () -> now);
    }

    @Test
    void fileLocksOfASandboxCountAsItsMemory() {
        assertThat(locks.bytes(group)).isEqualTo(3 * LOCK_BYTES);
    }

    @Test
    void theListIsNotScannedWhileTheMachineHasFewLocks() throws IOException {
        Files.writeString(kernel.resolve("objects"), "84 N0=84\n");

        assertThat(locks.bytes(group)).isZero();
    }

    @Test
    void theListIsReadOncePerInterval() throws IOException {
        locks.bytes(group);
        Files.writeString(kernel.resolve("locks"), "1: POSIX  ADVISORY  WRITE 12 00:2a:7 0 0\n");

        assertThat(locks.bytes(group)).isEqualTo(3 * LOCK_BYTES);
        now += 1_000_000_000;
        assertThat(locks.bytes(group)).isEqualTo(LOCK_BYTES);
    }

    @Test
    void aLongListIsExtrapolatedFromItsBeginning() throws IOException {
        Files.writeString(kernel.resolve("objects"), "1000000 N0=1000000\n");
        Files.writeString(
                kernel.resolve("locks"),
                "1: POSIX  ADVISORY  WRITE 12 00:2a:7 0 0\n2: POSIX  ADVISORY  WRITE 99 00:2a:7 2 2\n"
                        .repeat(FileLocks.LINES_MAX));

        assertThat(locks.bytes(group)).isEqualTo(500_000 * LOCK_BYTES);
    }

    @Test
    void withoutTheKernelsCounterNoLocksAreCounted() throws IOException {
        Files.delete(kernel.resolve("objects"));

        assertThat(locks.bytes(group)).isZero();
    }
}
