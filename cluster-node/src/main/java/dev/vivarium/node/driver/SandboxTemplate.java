package dev.vivarium.node.driver;

import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limits;
import java.util.Optional;

/**
 * Everything needed to create a sandbox, and nothing about its user: sandboxes of equal templates are interchangeable.
 *
 * @param image the image, as the engine names it
 * @param isolation how strongly it is separated from the node
 * @param limits the run's limits, complete; the driver enforces those that the kernel can hold. The kernel's memory
 *     limit is memory plus disk, because the workspace is in memory (docs/decisions, 9)
 * @param resolver the address of the DNS resolver for its programs; empty when there is none
 */
public record SandboxTemplate(String image, Isolation isolation, Limits limits, Optional<String> resolver) {}
