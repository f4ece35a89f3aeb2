/**
 * Whole nodes, each a real JVM of its own as {@code vivarium up} starts it, against the real engine and the real store.
 * The tests speak to them over HTTP as a user does, and then do them harm.
 */
@NullMarked
package dev.vivarium.node.whole;

import org.jspecify.annotations.NullMarked;
