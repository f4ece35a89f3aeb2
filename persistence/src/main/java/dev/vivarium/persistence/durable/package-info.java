/** Files that are complete or absent, and on disk when a call returns. */
@NullMarked
package dev.vivarium.persistence.durable;

import org.jspecify.annotations.NullMarked;
