/** The journal of runs: how events are written, chained, checked and read back. */
@NullMarked
package dev.vivarium.persistence.journal;

import org.jspecify.annotations.NullMarked;
