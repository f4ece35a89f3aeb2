package dev.vivarium.persistence.follow;

/**
 * A projection's row for a run.
 *
 * @param seq the number of the last event applied to it
 */
public record Row<R>(long seq, R content) {}
