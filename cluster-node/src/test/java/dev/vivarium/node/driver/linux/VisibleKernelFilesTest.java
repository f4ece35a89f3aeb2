package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VisibleKernelFilesTest {
    @TempDir
    private Path root;

    private void kernelHas(String... files) throws IOException {
        for (String file : files) {
            Path path = root.resolve(file.substring(1));
            Files.createDirectories(path.getParent());
            Files.createFile(path);
        }
    }

    @Test
    void kernelFilesThatAreNotListedAreHidden() throws IOException {
        kernelHas("/proc/of_the_next_version", "/proc/driver/rtc", "/sys/class/dmi/id", "/sys/class/net/eth0");

        assertThat(VisibleKernelFiles.hidden(root))
                .contains("/proc/of_the_next_version", "/proc/driver", "/sys/class/dmi")
                .doesNotContain("/sys/class", "/sys/class/net");
    }

    @Test
    void listedFilesAndProcessesAreVisible() throws IOException {
        kernelHas(
                "/proc/meminfo",
                "/proc/1/status",
                "/sys/devices/system/cpu/online",
                "/sys/devices/system/node/online",
                "/sys/devices/system/clocksource/x");

        assertThat(VisibleKernelFiles.hidden(root))
                .contains("/sys/devices/system/clocksource", "/sys/devices/system/node")
                .doesNotContain("/proc/meminfo", "/proc/1", "/sys/devices/system/cpu", "/sys/devices/system");
    }

    @Test
    void processorsAreVisibleWithoutTheirCountersAndWeakPoints() throws IOException {
        kernelHas(
                "/sys/devices/system/cpu/cpu0/cache/size",
                "/sys/devices/system/cpu/cpu12/online",
                "/sys/devices/system/cpu/of_the_next_version",
                "/sys/devices/system/cpu/possible",
                "/sys/devices/system/cpu/vulnerabilities/meltdown");

        assertThat(VisibleKernelFiles.hidden(root))
                .contains("/sys/devices/system/cpu/of_the_next_version", "/sys/devices/system/cpu/vulnerabilities")
                .doesNotContain(
                        "/sys/devices/system/cpu/cpu0",
                        "/sys/devices/system/cpu/cpu12",
                        "/sys/devices/system/cpu/possible");
    }

    @Test
    void identifiersAndCountersAreHiddenAlsoWhenFoldersCannotBeListed() {
        List<String> hidden = VisibleKernelFiles.hidden(root.resolve("gone"));

        assertThat(hidden)
                .contains(
                        "/proc/kcore",
                        "/proc/sys/kernel/random/boot_id",
                        "/proc/sys/fs/file-nr",
                        "/proc/sys/kernel/threads-max",
                        "/proc/vmstat",
                        "/sys/firmware");
    }
}
