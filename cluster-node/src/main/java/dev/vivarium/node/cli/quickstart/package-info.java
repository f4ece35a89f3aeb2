/** The examples, run together on a node of their own, and what they must come to. */
@NullMarked
package dev.vivarium.node.cli.quickstart;

import org.jspecify.annotations.NullMarked;
