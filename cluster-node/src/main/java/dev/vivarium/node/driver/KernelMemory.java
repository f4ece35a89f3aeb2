package dev.vivarium.node.driver;

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
}
