/** Records what is done to the installation rather than to a run: administrative acts, and what becomes of nodes. */
@NullMarked
package dev.vivarium.node.acts;

import org.jspecify.annotations.NullMarked;
