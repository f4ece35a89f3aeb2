/**
 * Whole nodes, each in a separate JVM as {@code vivarium up} starts it, with the real engine and the real store. The tests
 * use them over HTTP like a user, and injure them.
 */
@NullMarked
package dev.vivarium.node.whole;

import org.jspecify.annotations.NullMarked;
