/** A driver that starts nothing, to measure the rest of a node. */
@NullMarked
package dev.vivarium.node.driver.idle;

import org.jspecify.annotations.NullMarked;
