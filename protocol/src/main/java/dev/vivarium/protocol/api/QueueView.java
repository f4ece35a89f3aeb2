package dev.vivarium.protocol.api;

/**
 * A run's position in the queue of its node.
 *
 * @param position the run's position, from 1; the number of runs that start before it, plus one, if nothing else
 *     changes
 * @param waiting the length of the queue
 */
public record QueueView(int position, int waiting) {
    public QueueView {
        if (position < 1 || waiting < position) {
            throw new IllegalArgumentException("A queue position is between 1 and the queue's length.");
        }
    }
}
