package dev.vivarium.persistence.audit.tlog;

import java.io.IOException;
import java.util.Optional;

/** The last checkpoint that a node has signed or seen, kept where whoever restores the store does not reach. */
public interface SeenCheckpoint {
    /** The checkpoint; empty on a node that has seen none. */
    Optional<String> last() throws IOException;

    /** Replaces it, durably once this returns. */
    void keep(String checkpoint) throws IOException;

    /** That of a node that keeps none. */
    SeenCheckpoint NONE = new SeenCheckpoint() {
        @Override
        public Optional<String> last() {
            return Optional.empty();
        }

        @Override
        public void keep(String checkpoint) {}
    };
}
