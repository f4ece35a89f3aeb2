package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SocketUse;
import dev.vivarium.node.kernel.SocketMemory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SocketMemoryWatchTest {
    private static final long MIB = 1 << 20;

    private final SandboxId modest = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzza");
    private final SandboxId greedy = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzb");

    private List<Taker> takers(long tcpMib, long modestMib, long greedyMib) {
        SocketMemory machine = new SocketMemory(
                new SocketMemory.Protocol("net.ipv4.tcp_mem", tcpMib * MIB, 1000 * MIB),
                new SocketMemory.Protocol("net.ipv4.udp_mem", 0, 1500 * MIB));
        return machine.scarce()
                .map(scarce -> SocketMemoryWatch.takers(
                        scarce,
                        Map.of(
                                modest, new SocketUse(modestMib * MIB, 0),
                                greedy, new SocketUse(MIB, greedyMib * MIB))))
                .orElse(List.of());
    }

    @Test
    void asLongAsAQuarterIsLeftNoneEnds() {
        assertThat(takers(750, 10, 740)).isEmpty();
    }

    @Test
    void theOneWithMostInItsQueuesEndsBeforeTheKernelThrottlesEveryone() {
        assertThat(takers(751, 10, 740)).extracting(Taker::sandbox).containsExactly(greedy);
        assertThat(takers(751, 10, 740).get(0).why())
                .isEqualTo("Sockets of this machine hold 751 MiB, and from 1000 MiB on (net.ipv4.tcp_mem) the kernel"
                        + " throttles everyone's. This sandbox holds 740 MiB.");
    }

    @Test
    void queuesOutsideOfSandboxesKillNone() {
        assertThat(takers(900, 10, 30)).isEmpty();
    }
}
