/**
 * The life of a run: its specification, its events, and the pure state machine that says which event may follow which.
 */
@NullMarked
package dev.vivarium.protocol.run;

import org.jspecify.annotations.NullMarked;
