package dev.vivarium.persistence.store;

import java.util.concurrent.CompletionStage;

/**
 * Which cluster owns a store at the moment, so that two clusters that do not know each other never run the same runs.
 * One value, changed by compare-and-set only. It holds no time: an owner is alive while others see its heartbeat
 * advance. Thread-safe. Failures are {@link dev.vivarium.persistence.journal.StoreUnavailable}; the next read shows
 * whether the change took effect.
 */
public interface StoreOwnership {
    /**
     * The store's ownership.
     *
     * @param holder one incarnation of a node of the owning cluster; empty when the store is free
     * @param beat a heartbeat counter that only grows
     */
    record Hold(String holder, long beat) {
        /** The initial value. */
        public static final Hold FREE = new Hold("", 0);

        public boolean isFree() {
            return holder.isEmpty();
        }

        /** The value after the node takes or keeps ownership. */
        public Hold takenBy(String node) {
            return new Hold(node, beat + 1);
        }

        /** The value after an orderly release. */
        public Hold released() {
            return new Hold("", beat + 1);
        }
    }

    /** The outcome of a change. */
    enum Change {
        MADE,
        /** The value had changed since it was read. */
        OVERTAKEN
    }

    /** The current value, after any change in flight is settled. */
    CompletionStage<Hold> current();

    /** Compare-and-set from the value read to the next; of concurrent changes one succeeds. */
    CompletionStage<Change> change(Hold seen, Hold next);
}
