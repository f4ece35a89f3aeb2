/** Where runs live: how entities are placed in shards, and how shards are opened, remembered and released. */
@NullMarked
package dev.vivarium.node.run.sharding;

import org.jspecify.annotations.NullMarked;
