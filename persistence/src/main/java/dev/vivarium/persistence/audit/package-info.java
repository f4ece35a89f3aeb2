/** Queries over the journal, from projections of it. */
@NullMarked
package dev.vivarium.persistence.audit;

import org.jspecify.annotations.NullMarked;
