package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.driver.SandboxSample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupFilesTest {
    @TempDir
    private Path group;

    private void files(Map<String, String> contents) throws IOException {
        for (Map.Entry<String, String> file : contents.entrySet()) {
            Files.writeString(group.resolve(file.getKey()), file.getValue());
        }
    }

    private CgroupFiles.Version1 version1() throws IOException {
        files(Map.of(
                "memory.stat", "rss 1000\nshmem 20\n",
                "memory.kmem.usage_in_bytes", "300\n",
                "memory.kmem.tcp.usage_in_bytes", "4000\n",
                "memory.kmem.tcp.limit_in_bytes", "9223372036854771712\n",
                "memory.limit_in_bytes", "67108864\n",
                "memory.max_usage_in_bytes", "5000\n",
                "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
                "cpuacct.usage", "7000000\n",
                "pids.current", "3\n"));
        files(Map.of("pids.events", "max 1\n", "pids.peak", "7\n"));
        return new CgroupFiles.Version1(group, group, group);
    }

    @Test
    void socketMemoryCountsAsMemoryInVersion1() throws IOException {
        assertThat(version1().sample().anonymousBytes()).isEqualTo(5_300);
    }

    @Test
    void queuesOfSocketsAreToldApartForTheGuardOverTheMachine() throws IOException {
        assertThat(version1().socketBytes()).isEqualTo(4_000);

        files(Map.of("memory.stat", "anon 1000\nsock 500\n"));
        assertThat(new CgroupFiles.Version2(group).socketBytes()).isEqualTo(500);
    }

    @Test
    void version1LimitsSocketMemoryToTheMemoryLimit() throws IOException {
        version1().begin(100 << 20);

        assertThat(group.resolve("memory.kmem.tcp.limit_in_bytes")).content().contains("67108864");
    }

    @Test
    void aKernelWithoutSocketAccountingIsLeftAlone() throws IOException {
        CgroupFiles.Version1 files = version1();
        Files.delete(group.resolve("memory.kmem.tcp.limit_in_bytes"));
        Files.delete(group.resolve("memory.kmem.tcp.usage_in_bytes"));

        files.begin(100 << 20);

        assertThat(files.sample().anonymousBytes()).isEqualTo(1_300);
        assertThat(group.resolve("memory.kmem.tcp.limit_in_bytes")).doesNotExist();
    }

    @Test
    void memoryUsedForCreationIsNotChargedToTheAgent() throws IOException {
        CgroupFiles.Version1 files = version1();

        files.begin(100 << 20);

        assertThat(group.resolve("memory.max_usage_in_bytes")).content().startsWith("0");
        assertThat(files.sample().pidsPeak())
                .as("the highest count was there before")
                .isEqualTo(3);
        files(Map.of("pids.peak", "9\n"));
        assertThat(files.sample().pidsPeak()).isEqualTo(9);
    }

    @Test
    void withoutAPeakOfProcessesTheCurrentNumberIsReported() throws IOException {
        CgroupFiles.Version1 files = version1();
        Files.delete(group.resolve("pids.peak"));

        files.begin(100 << 20);

        assertThat(files.sample().pidsPeak()).isEqualTo(3);
    }

    @Test
    void samplingAfterCloseFails() throws IOException {
        CgroupFiles.Version1 files = version1();
        files.sample();

        files.close();
        files.close();

        assertThatThrownBy(files::sample).isInstanceOf(IOException.class);
    }

    /** Values of a 6.18 kernel after a Python program had looked up 300,000 missing names. */
    @Test
    void fileAndDentryCachesDoNotCountAsMemoryInVersion2() throws IOException {
        files(Map.of(
                "memory.current", "76000000\n",
                "memory.peak", "76500000\n",
                "memory.events", "oom_kill 0\n",
                "cpu.stat", "usage_usec 7000\n",
                "pids.current", "3\n",
                "pids.events", "max 0\n"));
        files(Map.of(
                "memory.stat",
                "anon 9000000\nfile 5804032\nkernel 60768256\nshmem 0\nslab_reclaimable 59500000\nslab 59900000\n"));

        SandboxSample sample = new CgroupFiles.Version2(group).sample();

        assertThat(sample.anonymousBytes()).isEqualTo(9_000_000 + 60_768_256 - 59_500_000);
        assertThat(sample.peakBytes()).isEqualTo(76_500_000 - 5_804_032 - 59_500_000);
    }

    @Test
    void thePeakOfVersion1ExcludesThePageCache() throws IOException {
        CgroupFiles.Version1 files = version1();
        files(Map.of("memory.stat", "cache 2020\nrss 1000\nshmem 20\n"));

        assertThat(files.sample().peakBytes()).isEqualTo(3_000);
    }

    @Test
    void cachesAreReclaimedNearTheLimitInVersion1() throws IOException {
        CgroupFiles.Version1 files = version1();
        files(Map.of("memory.force_empty", "", "memory.kmem.usage_in_bytes", "60000000\n"));
        files.begin(128 << 20);
        files.sample();
        assertThat(group.resolve("memory.force_empty")).isEmptyFile();

        files.begin(64 << 20);
        files.sample();

        assertThat(group.resolve("memory.force_empty")).hasContent("0");
    }

    @Test
    void socketMemoryCountsAsMemoryInVersion2WithAndWithoutTheKernelTotal() throws IOException {
        files(Map.of(
                "memory.current", "9000\n",
                "memory.events", "oom_kill 0\n",
                "cpu.stat", "usage_usec 7000\n",
                "pids.current", "3\n",
                "pids.events", "max 0\n"));
        files(Map.of("memory.stat", "anon 1000\nkernel 300\nslab 200\npagetables 100\nsock 4000\nshmem 20\n"));
        assertThat(new CgroupFiles.Version2(group).sample().anonymousBytes()).isEqualTo(5_300);

        files(Map.of("memory.stat", "anon 1000\nslab 200\npagetables 100\nsock 4000\nshmem 20\n"));
        assertThat(new CgroupFiles.Version2(group).sample().anonymousBytes()).isEqualTo(5_300);
    }
}
