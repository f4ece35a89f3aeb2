/**
 * Admission: hostile bytes come in, typed submissions or a list of all errors come out; then defaults, ceilings,
 * idempotency and the sealing of secrets.
 */
@NullMarked
package dev.vivarium.node.admission;

import org.jspecify.annotations.NullMarked;
