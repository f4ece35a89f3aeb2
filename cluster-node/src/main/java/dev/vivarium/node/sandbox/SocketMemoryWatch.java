package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SocketUse;
import dev.vivarium.node.kernel.SocketMemory;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Decides which sandboxes to kill before the kernel throttles the sockets of the whole machine ({@link Takers}). Pure.
 *
 * <p>A control group's limit of memory bounds what a sandbox has in queues, but TCP and UDP have a bound for all of the machine
 * too, a small part of its memory. Beyond it everyone's connections are slowed down: one sandbox of 4 GiB, on a machine of 24,
 * let those of its neighbour carry a hundredth.
 */
final class SocketMemoryWatch {
    private SocketMemoryWatch() {}

    /**
     * The sandboxes to kill, those with most in queues first.
     *
     * @param scarce the protocol whose memory is scarce
     * @param uses what each sandbox has in the queues of its sockets of both protocols
     */
    static List<Taker> takers(SocketMemory.Protocol scarce, Map<SandboxId, SocketUse> uses) {
        Map<SandboxId, Long> bytes = uses.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, sandbox -> sandbox.getValue().bytes()));
        return Takers.of(
                scarce.bytes(),
                scarce.markBytes(),
                bytes,
                (sandbox, held) -> "Sockets of this machine hold " + (scarce.bytes() >> 20) + " MiB, and from "
                        + (scarce.markBytes() >> 20) + " MiB on (" + scarce.setting()
                        + ") the kernel throttles everyone's. This sandbox holds " + (held >> 20) + " MiB.");
    }
}
