/** Which runs a shard has to wake when it comes to be held somewhere. */
@NullMarked
package dev.vivarium.persistence.remembered;

import org.jspecify.annotations.NullMarked;
