package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.network.EgressUse;

/**
 * All that is measured of a sandbox from outside.
 *
 * @param sample what it uses of its machine
 * @param egress what it did with its network
 */
public record SandboxUse(SandboxSample sample, EgressUse egress) {}
