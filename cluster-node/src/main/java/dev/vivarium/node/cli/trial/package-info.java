/**
 * A trial: agents run on a node, what each comes to is held against what was expected of it, and what is left is counted
 * from outside. {@code quickstart} tries the examples, {@code abuse} the hostile ones.
 */
@NullMarked
package dev.vivarium.node.cli.trial;

import org.jspecify.annotations.NullMarked;
