/** How a node is put together: its configuration, its store, network and driver, and the order in which they start and stop. */
@NullMarked
package dev.vivarium.node.assembly;

import org.jspecify.annotations.NullMarked;
