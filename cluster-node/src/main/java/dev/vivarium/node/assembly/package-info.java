/**
 * How a node is assembled: its configuration, store, network and driver, and the order in which they start and stop.
 */
@NullMarked
package dev.vivarium.node.assembly;

import org.jspecify.annotations.NullMarked;
