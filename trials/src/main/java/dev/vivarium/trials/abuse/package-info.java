/** The abuse suite: hostile payloads, each tried at its limits beside a neighbour that must not suffer. */
@NullMarked
package dev.vivarium.trials.abuse;

import org.jspecify.annotations.NullMarked;
