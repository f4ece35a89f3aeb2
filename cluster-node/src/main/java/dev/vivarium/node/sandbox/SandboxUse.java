package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.network.EgressUse;

/**
 * The resource use of a sandbox, measured from outside.
 *
 * @param sample its resource use
 * @param egress its network use
 */
public record SandboxUse(SandboxSample sample, EgressUse egress) {}
