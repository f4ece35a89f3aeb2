/**
 * The log of all events, which a stranger can verify: an RFC 9162 tree over their order, its tiles, the checkpoints that a
 * key outside of the store signs, and the proofs.
 */
@NullMarked
package dev.vivarium.persistence.audit.tlog;

import org.jspecify.annotations.NullMarked;
