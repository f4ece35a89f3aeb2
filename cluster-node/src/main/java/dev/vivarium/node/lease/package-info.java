/** Leases that bound how long a node may keep its runs: granted by a majority, kept by each node. */
@NullMarked
package dev.vivarium.node.lease;

import org.jspecify.annotations.NullMarked;
