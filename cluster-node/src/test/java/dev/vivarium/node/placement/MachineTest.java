package dev.vivarium.node.placement;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
    @TempDir
    private Path proc;

    @Test
    void theSmallerOfTheKernelsTwoLimitsOfProcessesApplies() throws IOException {
        Files.writeString(proc.resolve("meminfo"), "MemTotal:       24684124 kB\nMemFree:        100 kB\n");
        Files.createDirectories(proc.resolve("sys/kernel"));
        Files.writeString(proc.resolve("sys/kernel/pid_max"), "32768\n");
        Files.writeString(proc.resolve("sys/kernel/threads-max"), "192730\n");

        assertThat(Machine.of(proc)).isEqualTo(new Machine(24_684_124L << 10, 32_768, Capacity.UNLIMITED));
    }

    @Test
    void openFilesInUseAreSubtracted() throws IOException {
        withMemoryAndOpenFiles("16777216", "4000\t0\t1600000");

        assertThat(Machine.of(proc).openFiles()).isEqualTo(1_596_000);
    }

    @Test
    void aTableLargerThanMemoryAllowsIsUnlimited() throws IOException {
        withMemoryAndOpenFiles("16777216", "4000\t0\t9223372036854775807");

        assertThat(Machine.of(proc).openFiles()).isEqualTo(Capacity.UNLIMITED);
    }

    private void withMemoryAndOpenFiles(String kib, String table) throws IOException {
        Files.writeString(proc.resolve("meminfo"), "MemTotal:       " + kib + " kB\n");
        Files.createDirectories(proc.resolve("sys/fs"));
        Files.writeString(proc.resolve("sys/fs/file-nr"), table + "\n");
    }

    /** Files of the kernel's settings return everything in the first read only, unlike a test's files. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void thisMachineHasMoreThanAHandfulOfProcesses() {
        assertThat(Machine.of(Path.of("/proc")).processes()).isGreaterThan(300);
    }

    @Test
    void unknownResourcesAreUnlimited() {
        assertThat(Machine.of(proc)).isEqualTo(Machine.UNKNOWN);
        assertThat(Machine.UNKNOWN.without(1 << 30, 4096, 65_536)).isEqualTo(Machine.UNKNOWN);
    }

    @Test
    void theReserveIsAtMostHalfOfASmallMachine() {
        assertThat(new Machine(24L << 30, 32_768, 2_465_536).without(1L << 30, 4096, 65_536))
                .isEqualTo(new Machine(23L << 30, 28_672, 2_400_000));
        assertThat(new Machine(1L << 30, 1000, 100_000).without(1L << 30, 4096, 65_536))
                .isEqualTo(new Machine(512L << 20, 500, 50_000));
    }
}
