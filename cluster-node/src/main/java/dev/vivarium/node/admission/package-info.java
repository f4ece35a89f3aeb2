/**
 * What may become a run. Hostile bytes come in, typed submissions or a list of everything wrong with them come out; then
 * defaults, ceilings, idempotency and the sealing of secrets.
 */
@NullMarked
package dev.vivarium.node.admission;

import org.jspecify.annotations.NullMarked;
