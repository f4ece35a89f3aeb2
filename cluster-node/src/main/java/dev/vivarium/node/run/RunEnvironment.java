package dev.vivarium.node.run;

import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.sandbox.SandboxEnvironment;
import dev.vivarium.node.sandbox.TakeoverWait;

/**
 * What all Runs of a node share.
 *
 * @param nodeName the node's name in events
 * @param sandbox what the Sandbox children share
 * @param slots the node's slots
 * @param nodeLoads the loads of all nodes
 * @param takeoverWait how long a run's next attempt waits after a take-over
 * @param drain whether the node is draining
 * @param metrics the counters
 * @param pushBytesMax the most output that is sent to a run's watchers with one progress
 * @param renewalsMax how often the deadline of a run may be moved
 * @param disksInMemory the largest disk of a sandbox that is in memory, in bytes
 */
public record RunEnvironment(
        String nodeName,
        SandboxEnvironment sandbox,
        NodeSlots slots,
        NodeLoads nodeLoads,
        TakeoverWait takeoverWait,
        Drain drain,
        RunMetrics metrics,
        int pushBytesMax,
        int renewalsMax,
        long disksInMemory) {}
