package dev.vivarium.persistence.follow;

/**
 * What a projection keeps of a run.
 *
 * @param seq the number of the last event in it
 */
public record Row<R>(long seq, R content) {}
