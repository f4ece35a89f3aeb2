/** How long a node keeps what remains of runs. */
@NullMarked
package dev.vivarium.node.retention;

import org.jspecify.annotations.NullMarked;
