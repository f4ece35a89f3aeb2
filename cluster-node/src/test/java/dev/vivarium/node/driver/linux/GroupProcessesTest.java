package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GroupProcessesTest {
    private static final String MARK = "0123456789abcdef";

    @TempDir
    private Path machine;

    private GroupProcesses group(String unbounded) throws IOException {
        Path directory = Files.createDirectories(machine.resolve(MARK));
        Files.writeString(directory.resolve("quota"), "1000\n");
        return new GroupProcesses(machine, directory.resolve("cgroup.procs"), directory.resolve("quota"), unbounded);
    }

    private void member(long pid, String group) throws IOException {
        Files.createDirectories(machine.resolve(Long.toString(pid)));
        Files.writeString(machine.resolve(pid + "/cgroup"), "0::/docker/" + group + "\n");
    }

    @Test
    void aShareIsSetOrRefusedWithTheReason() throws IOException {
        GroupProcesses group = group("max");
        group.throttle(2_000);
        assertThat(machine.resolve(MARK + "/quota")).content().startsWith("2000");

        Files.delete(group.quota());
        assertThatThrownBy(() -> group.throttle(2_000)).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void anEndingGroupIsNotThrottled() throws IOException {
        group("-1").unthrottle();

        assertThat(machine.resolve(MARK + "/quota")).content().startsWith("-1");
    }

    @Test
    void aMissingGroupIsIgnored() throws IOException {
        GroupProcesses gone = group("max");
        Files.delete(machine.resolve(MARK + "/quota"));

        gone.unthrottle();
        gone.killAllBut(1);

        assertThat(machine.resolve(MARK + "/quota")).doesNotExist();
    }

    @Test
    void allAreKilledButTheGuestAndProcessesWithReusedIds() throws Exception {
        Process busy = new ProcessBuilder("sleep", "60").start();
        Process guest = new ProcessBuilder("sleep", "60").start();
        Process another = new ProcessBuilder("sleep", "60").start();
        try {
            GroupProcesses group = group("max");
            member(busy.pid(), MARK);
            member(guest.pid(), MARK);
            member(another.pid(), "fedcba9876543210");
            Files.writeString(group.processes(), busy.pid() + "\n" + guest.pid() + "\n" + another.pid() + "\n");

            group.killAllBut(guest.pid());

            assertThat(busy.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(guest.isAlive()).isTrue();
            assertThat(another.isAlive()).isTrue();
        } finally {
            busy.destroyForcibly();
            guest.destroyForcibly();
            another.destroyForcibly();
        }
    }
}
