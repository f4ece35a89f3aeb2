/** The one sequencer of the cluster, and what each node tells it. */
@NullMarked
package dev.vivarium.node.audit;

import org.jspecify.annotations.NullMarked;
