package dev.vivarium.node.driver;

import java.util.HashMap;
import java.util.Map;

/**
 * Kernel memory on the sandboxes' machine.
 *
 * @param uncountedBytes unreclaimable kernel memory that is charged to none of these sandboxes
 * @param ofSandboxes the kernel memory charged to each sandbox, in bytes
 */
public record KernelMemory(long uncountedBytes, Map<SandboxId, Long> ofSandboxes) {
    /** For a machine whose kernel memory cannot be read. */
    public static final KernelMemory UNKNOWN = new KernelMemory(0, Map.of());

    public KernelMemory {
        ofSandboxes = Map.copyOf(ofSandboxes);
    }

    /** The same, with the memory of the sandboxes' sockets that no control group is charged for. */
    public KernelMemory with(Map<SandboxId, SocketUse> sockets) {
        Map<SandboxId, Long> all = new HashMap<>(ofSandboxes);
        sockets.forEach((sandbox, use) -> all.merge(sandbox, use.unchargedBytes(), Long::sum));
        return new KernelMemory(uncountedBytes, all);
    }
}
