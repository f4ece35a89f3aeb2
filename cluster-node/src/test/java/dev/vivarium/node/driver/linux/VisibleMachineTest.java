package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VisibleMachineTest {
    private static final String LIMIT_OF_VERSION_1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes";

    @TempDir
    private Path root;

    @BeforeEach
    void aMachineWithFourProcessorsAndAGibibyte() throws IOException {
        kernelHas("/sys/devices/system/cpu/online", "0-1,4-5\n");
        kernelHas(
                "/proc/cpuinfo", processor(0) + processor(1) + processor(4) + processor(5) + "Serial\t\t: 0000a1b2\n");
        kernelHas("/proc/loadavg", "2.31 2.25 1.45 3/261 7398\n");
        kernelHas("/proc/stat", "cpu  154 17 63 13 10 0 18 0 0 0\nintr 298 1 2\nctxt 83\nbtime 1796048574\n");
        kernelHas(
                "/proc/meminfo",
                """
                MemTotal:        1048576 kB
                MemFree:          204960 kB
                MemAvailable:     514190 kB
                Cached:           105456 kB
                VmallocTotal:   34359738367 kB
                HugePages_Total:       3
                Hugepagesize:       2048 kB
                """);
    }

    private static String processor(int number) {
        return """
                processor\t: %d
                model name\t: AMD EPYC
                microcode\t: 0xa0011d1
                siblings\t: 4
                cpu cores\t: 2
                flags\t\t: fpu avx2
                bugs\t\t: spectre_v1
                power management:

                """
                .formatted(number);
    }

    private void kernelHas(String file, String text) throws IOException {
        Path path = root.resolve(file.substring(1));
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private Map<String, String> files(String cpu, String memory) {
        return files(Isolation.CONTAINER, cpu, memory);
    }

    private Map<String, String> files(Isolation isolation, String cpu, String memory) {
        return VisibleMachine.files(
                HostMachine.read(root),
                new SandboxTemplate(
                        "vivarium/python",
                        isolation,
                        Limits.SMALLEST.with(Limit.CPU, cpu).with(Limit.MEMORY, memory),
                        Optional.empty()));
    }

    @Test
    void memoryIsTheLimitAndNoneOfItIsInUse() {
        assertThat(files("1", "64Mi").get("/proc/meminfo"))
                .isEqualTo(
                        """
                        MemTotal:          65536 kB
                        MemFree:           65536 kB
                        MemAvailable:      65536 kB
                        Cached:                0 kB
                        VmallocTotal:   34359738367 kB
                        HugePages_Total:       0
                        Hugepagesize:       2048 kB
                        """);
    }

    @Test
    void noMoreIsSeenThanTheMachineHas() {
        Map<String, String> files = files("64", "2Gi");

        assertThat(files.get("/sys/devices/system/cpu/online")).isEqualTo("0-3\n");
        assertThat(files.get("/proc/cpuinfo")).contains("processor\t: 3\n").doesNotContain("processor\t: 4");
        assertThat(files.get("/proc/meminfo")).startsWith("MemTotal:        1048576 kB\n");
    }

    @Test
    void aPartOfAProcessorIsOne() {
        assertThat(files("10m", "64Mi").get("/sys/devices/system/cpu/online")).isEqualTo("0\n");
        assertThat(files("1001m", "64Mi").get("/sys/devices/system/cpu/online")).isEqualTo("0-1\n");
    }

    @Test
    void processorsAreTheFirstOfTheMachineWithoutWhatIdentifiesThem() {
        assertThat(files("3", "64Mi").get("/proc/cpuinfo"))
                .isEqualTo(
                        """
                        processor\t: 0
                        model name\t: AMD EPYC
                        siblings\t: 3
                        cpu cores\t: 2
                        flags\t\t: fpu avx2
                        power management:

                        processor\t: 1
                        model name\t: AMD EPYC
                        siblings\t: 3
                        cpu cores\t: 2
                        flags\t\t: fpu avx2
                        power management:

                        processor\t: 2
                        model name\t: AMD EPYC
                        siblings\t: 3
                        cpu cores\t: 2
                        flags\t\t: fpu avx2
                        power management:

                        """);
    }

    @Test
    void countersOfTheMachineAreNotSeenButItsStart() {
        Map<String, String> files = files("2", "64Mi");

        assertThat(files.get("/proc/loadavg")).isEqualTo("0.00 0.00 0.00 1/1 1\n");
        assertThat(files.get("/proc/stat"))
                .isEqualTo(
                        """
                        cpu  0 0 0 200 0 0 0 0 0 0
                        cpu0 0 0 0 100 0 0 0 0 0 0
                        cpu1 0 0 0 100 0 0 0 0 0 0
                        intr 0
                        ctxt 0
                        btime 1796048574
                        processes 1
                        procs_running 1
                        procs_blocked 0
                        softirq 0 0 0 0 0 0 0 0 0 0 0
                        """);
    }

    @Test
    void aKernelOfItsOwnKeepsItsCounters() {
        assertThat(files(Isolation.GVISOR, "1", "64Mi"))
                .containsOnlyKeys("/proc/meminfo", "/sys/devices/system/cpu/online")
                .containsEntry("/sys/devices/system/cpu/online", "0\n");
    }

    @Test
    void controlGroupsOfEitherVersionSayTheLimitWithoutTheDisk() throws IOException {
        assertThat(files("1", "64Mi")).doesNotContainKeys(LIMIT_OF_VERSION_1, "/sys/fs/cgroup/memory.max");

        kernelHas(LIMIT_OF_VERSION_1, "9223372036854771712\n");
        assertThat(files("1", "64Mi"))
                .containsEntry(LIMIT_OF_VERSION_1, "67108864\n")
                .doesNotContainKeys("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "/sys/fs/cgroup/memory.max");

        kernelHas("/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
        assertThat(files("1", "64Mi")).containsEntry("/sys/fs/cgroup/memory.max", "67108864\n");
    }

    /** A file cannot be bound where there is none, and nothing is said that is not known. */
    @Test
    void whatTheMachineDoesNotTellIsLeftAlone() throws IOException {
        Files.delete(root.resolve("proc/loadavg"));
        kernelHas("/sys/devices/system/cpu/online", "\n");

        assertThat(files("1", "64Mi")).containsOnlyKeys("/proc/meminfo");
    }
}
