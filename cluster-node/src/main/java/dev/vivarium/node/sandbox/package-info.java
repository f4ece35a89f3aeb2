/**
 * The Sandbox actor, which owns one sandbox for one attempt: it makes it, watches its limits, ends it, and leaves nothing
 * behind; and the reaper, which sweeps what somebody else left.
 */
@NullMarked
package dev.vivarium.node.sandbox;

import org.jspecify.annotations.NullMarked;
