/** Files that are whole or absent, and on disk when a call returns. */
@NullMarked
package dev.vivarium.persistence.durable;

import org.jspecify.annotations.NullMarked;
