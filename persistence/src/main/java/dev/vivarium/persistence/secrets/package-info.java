/** Secrets at rest, and their destruction. */
@NullMarked
package dev.vivarium.persistence.secrets;

import org.jspecify.annotations.NullMarked;
