package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelMemoryFilesTest {
    @TempDir
    private Path folder;

    private KernelMemoryFiles machine(String... lines) throws IOException {
        Files.writeString(folder.resolve("meminfo"), String.join(" kB\n", lines) + " kB\n");
        Files.createDirectories(folder.resolve("self"));
        Files.writeString(folder.resolve("self/smaps"), "KernelPageSize:        4 kB\n");
        Files.writeString(
                folder.resolve("zoneinfo"),
                """
                Node 0, zone   Normal
                  pages free     3913
                  pagesets
                    cpu: 0
                              count:    20
                              high:     80138
                    cpu: 1
                              count:    5
                """);
        return new KernelMemoryFiles(folder);
    }

    @Test
    void whatTheKernelHasAndPagesOfWhichItTellsNoUseAreApart() throws IOException {
        KernelMemoryFiles machine = machine(
                "MemTotal:       10000",
                "MemFree:        4000",
                "MemAvailable:   7000",
                "Buffers:        100",
                "Cached:         1000",
                "SwapCached:     0",
                "Active:         900",
                "AnonPages:      2000",
                "Mapped:         300",
                "Slab:           800",
                "SReclaimable:   500",
                "SUnreclaim:     300",
                "KernelStack:    20",
                "PageTables:     30",
                "VmallocUsed:    40",
                "Percpu:         10");

        assertThat(machine.bytes() >> 10).isEqualTo(300 + 40);
        assertThat(machine.untoldBytes() >> 10)
                .as("without free pages that processors have at hand")
                .isEqualTo(2_000 - 25 * 4);
    }

    @Test
    void linesThatOverlapAreNoPages() throws IOException {
        assertThat(machine("MemTotal:       1000", "MemFree:        900", "Cached:         200")
                        .untoldBytes())
                .isZero();
    }
}
