/** The time, as a parameter of everything that depends on it. */
@NullMarked
package dev.vivarium.node.clock;

import org.jspecify.annotations.NullMarked;
