package dev.vivarium.protocol.api;

/**
 * Where a run stands among those that wait for a place on its node.
 *
 * @param position how many get a place before it, and it, if nothing else changes; from 1
 * @param waiting how many wait
 */
public record QueueView(int position, int waiting) {
    public QueueView {
        if (position < 1 || waiting < position) {
            throw new IllegalArgumentException("A position is from 1 to the number of those that wait.");
        }
    }
}
