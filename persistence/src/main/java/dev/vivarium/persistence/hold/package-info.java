/** Which cluster a store belongs to. */
@NullMarked
package dev.vivarium.persistence.hold;

import org.jspecify.annotations.NullMarked;
