/** On which node a run is born: capacities, the choice of a shard, and where shards are put. */
@NullMarked
package dev.vivarium.node.placement;

import org.jspecify.annotations.NullMarked;
