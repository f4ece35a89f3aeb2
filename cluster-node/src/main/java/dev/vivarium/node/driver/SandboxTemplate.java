package dev.vivarium.node.driver;

import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import dev.vivarium.protocol.run.Isolation;
import java.util.Optional;

/**
 * What must be known to make a sandbox, and nothing about who will use it: sandboxes of equal templates can stand in
 * for each other.
 *
 * @param image the image, as the engine names it
 * @param isolation how strongly it is separated from the node
 * @param cpu the processor share that the kernel gives at most
 * @param memory what the agent's processes may use; the kernel's own limit is this and {@code disk} together, because
 *     the workspace lies in memory (docs/decisions, 9)
 * @param pids processes and threads alive at once, the guest not counted
 * @param disk the size of the workspace, and of /tmp
 * @param files files and folders in the workspace, and in /tmp
 * @param resolver the address at which programs in it ask for names; empty where there is nobody to ask
 */
public record SandboxTemplate(
        String image,
        Isolation isolation,
        CpuQuota cpu,
        ByteSize memory,
        int pids,
        ByteSize disk,
        long files,
        Optional<String> resolver) {}
