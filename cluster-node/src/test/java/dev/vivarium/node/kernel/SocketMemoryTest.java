package dev.vivarium.node.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketMemoryTest {
    @TempDir
    private Path proc;

    private void file(String name, String text) throws IOException {
        Path file = proc.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void machine(int tcpPages, int udpPages) throws IOException {
        file("self/smaps", "5581-5582 r--p\nSize:   4 kB\nKernelPageSize:        4 kB\n");
        file("meminfo", "MemTotal:       16777216 kB\n");
        file(
                "net/sockstat",
                "sockets: used 81\nTCP: inuse 1 orphan 0 tw 638 alloc 14 mem " + tcpPages + "\nUDP: inuse 0 mem "
                        + udpPages + "\nUDPLITE: inuse 0\n");
    }

    private void settings() throws IOException {
        file("sys/net/ipv4/tcp_mem", "3000\t4000\t6000\n");
        file("sys/net/ipv4/udp_mem", "6000\t8000\t12000\n");
    }

    @Test
    void theMarksAreWhereTheKernelBeginsToThrottleEveryone() throws IOException {
        machine(1, 2);
        settings();

        assertThat(SocketMemory.of(proc))
                .hasValue(new SocketMemory(
                        new SocketMemory.Protocol("net.ipv4.tcp_mem", 4096, 4000 * 4096),
                        new SocketMemory.Protocol("net.ipv4.udp_mem", 2 * 4096, 6000 * 4096)));
    }

    @Test
    void theProtocolWithLessThanAQuarterLeftIsScarce() throws IOException {
        settings();
        machine(3000, 4500);
        assertThat(SocketMemory.of(proc).flatMap(SocketMemory::scarce)).isEmpty();

        machine(3001, 4500);
        assertThat(SocketMemory.of(proc).flatMap(SocketMemory::scarce))
                .map(SocketMemory.Protocol::setting)
                .hasValue("net.ipv4.tcp_mem");

        machine(3001, 6000);
        assertThat(SocketMemory.of(proc).flatMap(SocketMemory::scarce))
                .map(SocketMemory.Protocol::setting)
                .hasValue("net.ipv4.udp_mem");
    }

    @Test
    void aNodeInAPodTakesTheKernelsOwnMarks() throws IOException {
        machine(0, 0);

        assertThat(SocketMemory.of(proc).map(SocketMemory::tcp).map(SocketMemory.Protocol::markBytes))
                .hasValue(1L << 30);
        assertThat(SocketMemory.of(proc).map(SocketMemory::udp).map(SocketMemory.Protocol::markBytes))
                .hasValue(3L << 29);
    }

    @Test
    void withoutNumbersNothingIsKnown() {
        assertThat(SocketMemory.of(proc)).isEqualTo(Optional.empty());
    }

    @Test
    void thisMachineTellsIts() {
        assertThat(SocketMemory.of(Path.of("/proc"))).hasValueSatisfying(machine -> {
            assertThat(machine.tcp().markBytes()).isPositive();
            assertThat(machine.udp().markBytes()).isPositive();
        });
    }
}
