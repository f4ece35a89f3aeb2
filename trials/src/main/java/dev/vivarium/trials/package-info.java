/** The commands {@code quickstart} and {@code abuse}. */
@NullMarked
package dev.vivarium.trials;

import org.jspecify.annotations.NullMarked;
