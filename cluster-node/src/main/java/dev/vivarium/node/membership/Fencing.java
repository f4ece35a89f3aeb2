package dev.vivarium.node.membership;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.TakeoverWait;

/**
 * What prevents two live sandboxes of one run.
 *
 * @param lease bounds how long this node may keep its runs
 * @param takeoverWait how long a take-over waits for the lost node's lease
 * @param clock the clock of both
 */
public record Fencing(NodeLease lease, TakeoverWait takeoverWait, NodeClock clock) {}
