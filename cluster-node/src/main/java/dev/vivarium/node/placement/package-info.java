/** On which node a run is created: capacities, the choice of a shard, and the allocation of shards. */
@NullMarked
package dev.vivarium.node.placement;

import org.jspecify.annotations.NullMarked;
