/**
 * Follows the journal: one follower, projections as pure handlers on it, and sweeps. Stores provide entries and rows.
 */
@NullMarked
package dev.vivarium.persistence.follow;

import org.jspecify.annotations.NullMarked;
