/** Tar archives: parsed as they arrive, and checked before any part reaches a sandbox. Pure. */
@NullMarked
package dev.vivarium.node.archive;

import org.jspecify.annotations.NullMarked;
