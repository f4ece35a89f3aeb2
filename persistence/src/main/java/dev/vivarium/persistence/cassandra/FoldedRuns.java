package dev.vivarium.persistence.cassandra;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.UnreadableEntry;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the live runs that this node writes to have become by their last entry that counts, so that a projection need not
 * read the whole journal of a run again for each of its entries. Only a shortcut: it is bounded by bytes, and whatever it
 * does not know is read from the journal. Safe to use from several threads.
 */
final class FoldedRuns {
    /** Of the entries that were folded, as they are in the journal, with what each run has besides. */
    private static final long BYTES_MAX = 32L * 1024 * 1024;

    private static final int OVERHEAD_BYTES = 1_024;

    private final Cache<RunId, Folded> known = Caffeine.newBuilder()
            .maximumWeight(BYTES_MAX)
            .weigher((RunId run, Folded folded) -> OVERHEAD_BYTES + folded.bytes())
            .executor(Runnable::run)
            .build();

    /**
     * A run after some entries.
     *
     * @param seq the number of the last entry
     * @param bytes what its entries have in the journal, about
     */
    record Folded(RunState.Existing state, long seq, int bytes) {}

    /**
     * Entries of a run have been committed. A run whose entry before them is not known is known no more: somebody else has
     * gone on with it meanwhile.
     */
    void committed(RunId run, long firstSeq, List<JournalEntry> entries) {
        known.asMap().compute(run, (same, before) -> after(before, firstSeq, entries));
    }

    private static @Nullable Folded after(@Nullable Folded before, long firstSeq, List<JournalEntry> entries) {
        long expected = before == null ? 1 : before.seq() + 1;
        if (firstSeq != expected) {
            return null;
        }
        RunState state = before == null ? RunState.initial() : before.state();
        int bytes = before == null ? 0 : before.bytes();
        try {
            for (JournalEntry entry : entries) {
                state = state.after(EventCodec.standard().decode(entry));
                bytes += entry.payload().length();
            }
        } catch (UnreadableEntry | RunState.IllegalTransition unfit) {
            // Whoever reads it from the journal says what is wrong with it.
            return null;
        }
        return state instanceof RunState.Existing existing
                ? new Folded(existing, firstSeq + entries.size() - 1, bytes)
                : null;
    }

    Optional<Folded> of(RunId run) {
        return Optional.ofNullable(known.getIfPresent(run));
    }

    /** Nothing more will come of the run, or what is known of it is in doubt. */
    void forget(RunId run) {
        known.invalidate(run);
    }

    long size() {
        known.cleanUp();
        return known.estimatedSize();
    }
}
