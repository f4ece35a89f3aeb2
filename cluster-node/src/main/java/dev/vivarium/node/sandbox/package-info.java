/**
 * The Sandbox actor, which owns one sandbox for one attempt: it creates it, watches its limits and ends it, and leaves
 * nothing behind; and the reaper, which removes what others left.
 */
@NullMarked
package dev.vivarium.node.sandbox;

import org.jspecify.annotations.NullMarked;
