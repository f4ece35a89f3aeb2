package dev.vivarium.node.run;

import dev.vivarium.node.sandbox.SandboxEnvironment;

/**
 * What every Run of a node works with.
 *
 * @param nodeName the name that stands in events
 * @param sandbox what the Sandbox children work with
 * @param places who holds a place on the node, and who waits for one
 * @param drain whether the node is leaving
 * @param metrics what is counted
 */
public record RunEnvironment(
        String nodeName, SandboxEnvironment sandbox, Places places, Drain drain, RunMetrics metrics) {}
