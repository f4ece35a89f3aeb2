/** One order over the events of all runs: who assigns positions, and how events are found by what they say. */
@NullMarked
package dev.vivarium.persistence.audit;

import org.jspecify.annotations.NullMarked;
