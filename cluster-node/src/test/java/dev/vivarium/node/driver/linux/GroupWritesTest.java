package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GroupWritesTest {
    private static final long GUEST = 10;
    private static final Duration IDLE = Duration.ofSeconds(160);

    @TempDir
    private Path proc;

    private GroupWrites writes;

    @BeforeEach
    void anAgentAndItsGuest() throws IOException {
        Path group = Files.createDirectory(proc.resolve("group"));
        Files.writeString(group.resolve("cgroup.procs"), "10\n11\n12\n");
        GroupProcesses processes =
                new GroupProcesses(proc, group.resolve("cgroup.procs"), group.resolve("cpu.max"), "max");
        writes = new GroupWrites(processes, GUEST, IDLE);
        written(GUEST, 1_000_000, 10);
        written(11, 0, 0);
        written(12, 0, 0);
    }

    private void written(long pid, long bytes, long calls) throws IOException {
        Files.createDirectories(proc.resolve(Long.toString(pid)));
        Files.writeString(
                proc.resolve(pid + "/io"),
                "rchar: 99\nwchar: " + bytes + "\nsyscr: 7\nsyscw: " + calls
                        + "\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    }

    private long after(Duration time) {
        return writes.bytes(time.toNanos());
    }

    @Test
    void aFileThatIsRewrittenIsSeen() throws IOException {
        assertThat(after(Duration.ZERO)).isZero();

        written(11, 18, 1);
        written(12, 100, 2);

        assertThat(after(Duration.ofSeconds(10))).isEqualTo(10 + 84);
    }

    @Test
    void wakeUpsAmongThreadsOfAWaitingProgramAreNoWrites() throws IOException {
        written(11, 8_000, 1_000);
        written(12, 50, 50);

        assertThat(after(Duration.ZERO)).isZero();
    }

    @Test
    void itLooksSomeTimesInTheIdleTimeAndNotAtEachSample() throws IOException {
        assertThat(after(Duration.ZERO)).isZero();

        written(11, 4_096, 1);

        assertThat(after(Duration.ofMillis(9_999))).isZero();
        assertThat(after(Duration.ofSeconds(10))).isEqualTo(4_088);
    }

    @Test
    void aProcessThatHasEndedIsLeftOut() throws IOException {
        written(12, 4_096, 1);
        Files.delete(proc.resolve("11/io"));

        assertThat(after(Duration.ZERO)).isEqualTo(4_088);
    }
}
