/** The Run entity: one persistent, sharded actor per run, and the access to it. */
@NullMarked
package dev.vivarium.node.run;

import org.jspecify.annotations.NullMarked;
