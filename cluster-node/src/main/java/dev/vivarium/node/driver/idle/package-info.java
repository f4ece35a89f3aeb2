/** A driver that starts nothing, for measuring what is left of a node without one. */
@NullMarked
package dev.vivarium.node.driver.idle;

import org.jspecify.annotations.NullMarked;
