package dev.vivarium.node.machine;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostFilesTest {
    @TempDir
    Path root;

    @Test
    void onlyInstalledPackagesAreListed() throws IOException {
        write(
                "var/lib/dpkg/status",
                """
                Package: runc
                Status: install ok installed
                Version: 1.1.5+ds1-1+deb12u1

                Package: crun
                Status: deinstall ok config-files
                Version: 1.8.1-1

                Package: bash
                Status: install ok installed
                Version: 5.2
                """);

        assertThat(new HostFiles(root).packages(Set.of("runc", "crun")))
                .isEqualTo(Map.of("runc", "1.1.5+ds1-1+deb12u1"));
    }

    @Test
    void aMachineWithoutThePackageManagerHasNoPackages() {
        assertThat(new HostFiles(root).packages(Set.of("runc"))).isEmpty();
        assertThat(new HostFiles(root).mendedIn("runc")).isEmpty();
    }

    @Test
    void fixedHolesAreReadFromTheChangelog() throws IOException {
        Path changelog = root.resolve("usr/share/doc/runc/changelog.Debian.gz");
        Files.createDirectories(changelog.getParent());
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(changelog))) {
            out.write(
                    "  * CVE-2024-21626: several breakouts\n  * Fix CVE-2023-27561\n".getBytes(StandardCharsets.UTF_8));
        }

        assertThat(new HostFiles(root).mendedIn("runc")).containsExactlyInAnyOrder("CVE-2024-21626", "CVE-2023-27561");
    }

    @Test
    void textThatIsNoNumberIsIgnored() throws IOException {
        write("proc/sys/kernel/pid_max", "32768\n");
        write("proc/sys/kernel/threads-max", "many");

        assertThat(new HostFiles(root).number("proc/sys/kernel/pid_max")).isEqualTo(OptionalLong.of(32_768));
        assertThat(new HostFiles(root).number("proc/sys/kernel/threads-max")).isEmpty();
        assertThat(new HostFiles(root).number("proc/missing")).isEmpty();
    }

    @Test
    void theFactsOfAnEmptyMachineAreEmpty() {
        MachineFacts facts = new MachineReader(new HostFiles(root), new Programs(""))
                .read(
                        ConfigFactory.parseString("vivarium.driver.kind = idle"),
                        root.resolve("data"),
                        NodeSettingsReader.read(ConfigFactory.load(), "127.0.0.1", 0));

        assertThat(facts.memory().totalBytes()).isEmpty();
        assertThat(facts.groups().version()).isEmpty();
        assertThat(facts.engine()).isInstanceOf(MachineFacts.Engine.None.class);
        assertThat(facts.data().writable()).isEqualTo(MachineFacts.Presence.YES);
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
