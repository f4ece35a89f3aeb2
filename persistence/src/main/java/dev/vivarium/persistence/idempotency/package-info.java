/** Which run a client's key for a submission belongs to. */
@NullMarked
package dev.vivarium.persistence.idempotency;

import org.jspecify.annotations.NullMarked;
