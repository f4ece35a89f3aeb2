package dev.vivarium.node.run;

import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.sandbox.SandboxEnvironment;
import dev.vivarium.node.sandbox.TakeoverWait;

/**
 * What every Run of a node works with.
 *
 * @param nodeName the name that stands in events
 * @param sandbox what the Sandbox children work with
 * @param slots which runs hold a slot of the node, and which wait for one
 * @param takeoverWait how long the next attempt of a run that was taken over waits
 * @param drain whether the node is leaving
 * @param metrics what is counted
 */
public record RunEnvironment(
        String nodeName,
        SandboxEnvironment sandbox,
        NodeSlots slots,
        TakeoverWait takeoverWait,
        Drain drain,
        RunMetrics metrics) {}
