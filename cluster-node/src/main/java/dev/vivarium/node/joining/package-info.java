/** How a node joins: the handshake with its peers, and which cluster owns the store. */
@NullMarked
package dev.vivarium.node.joining;

import org.jspecify.annotations.NullMarked;
