package dev.vivarium.persistence.store;

import java.util.concurrent.CompletionStage;

/**
 * Says which cluster of nodes a store belongs to at the moment, so that two clusters that do not know each other never go
 * on with the same runs. One value, which only changes from what somebody has seen to what follows; it knows no time: a
 * holder is alive as long as others see its beat go on. Safe for use by any thread. Whatever fails, fails with
 * {@link dev.vivarium.persistence.journal.StoreUnavailable}, and its outcome shows at the next look.
 */
public interface StoreOwnership {
    /**
     * Who holds the store.
     *
     * @param holder a node of the cluster that holds it, in one life of it; empty when nobody does
     * @param beat a number that only grows
     */
    record Hold(String holder, long beat) {
        /** What a store begins with. */
        public static final Hold FREE = new Hold("", 0);

        public boolean isFree() {
            return holder.isEmpty();
        }

        /** What follows when the node takes it, or goes on holding it. */
        public Hold takenBy(String node) {
            return new Hold(node, beat + 1);
        }

        /** What follows when its holder ends in order. */
        public Hold released() {
            return new Hold("", beat + 1);
        }
    }

    /** What became of an attempt to change it. */
    enum Change {
        MADE,
        /** It was not any more what it had been. */
        OVERTAKEN
    }

    /** As it is now, with every change under way settled. */
    CompletionStage<Hold> current();

    /** Changes it from what was seen to what follows; of several at once one succeeds. */
    CompletionStage<Change> change(Hold seen, Hold next);
}
