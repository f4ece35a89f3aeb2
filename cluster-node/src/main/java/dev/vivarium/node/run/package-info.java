/** The Run entity: one persistent, sharded actor for each run, and the way to it. */
@NullMarked
package dev.vivarium.node.run;

import org.jspecify.annotations.NullMarked;
