/** Leases that bound what a node may do: granted by a majority, kept by each node. */
@NullMarked
package dev.vivarium.node.lease;

import org.jspecify.annotations.NullMarked;
