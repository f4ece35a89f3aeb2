/** Administrative acts, and what becomes of nodes: what is done to the installation rather than to a run. */
@NullMarked
package dev.vivarium.protocol.act;

import org.jspecify.annotations.NullMarked;
