package dev.vivarium.node.membership;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.TakeoverWait;

/**
 * What keeps a run from having two live sandboxes.
 *
 * @param lease bounds what this node may go on with
 * @param takeoverWait how long a take-over waits for the lease of the node that is gone
 * @param clock what both are measured by
 */
public record Fencing(NodeLease lease, TakeoverWait takeoverWait, NodeClock clock) {}
