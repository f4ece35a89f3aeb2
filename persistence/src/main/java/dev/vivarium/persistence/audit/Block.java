package dev.vivarium.persistence.audit;

import java.time.Instant;

/**
 * The times of the events in a block of positions: a time range is looked up here first, since the order is that of
 * positions and the clocks of nodes differ.
 *
 * @param number the block's number; it begins at position {@code number * POSITIONS}
 * @param from the earliest time of its events
 * @param to the latest
 */
public record Block(long number, Instant from, Instant to) {
    /** How many positions a block has. */
    public static final long POSITIONS = 1L << 14;

    /** The block of a position. */
    public static long of(long position) {
        return position / POSITIONS;
    }

    Block with(Instant at) {
        return new Block(number, at.isBefore(from) ? at : from, at.isAfter(to) ? at : to);
    }
}
