package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.util.Optional;

/** What becomes of a run's row by a {@link Change}. */
public sealed interface Step<R> {
    /** Whose row it is. */
    RunId run();

    /** The row that is to be kept; empty for a run that has no event which could be read. */
    Optional<Row<R>> row();

    /** The row is now that of a later event. */
    record Moved<R>(RunId run, Optional<Row<R>> row) implements Step<R> {}

    /** The row knew all of it. */
    record Unchanged<R>(RunId run, Optional<Row<R>> row) implements Step<R> {}

    /**
     * An entry cannot be read by this version of the code, or cannot follow: the row stays before it, and the rest of the
     * run is left until somebody can read it.
     *
     * @param seq the number of that entry
     */
    record Unreadable<R>(RunId run, Optional<Row<R>> row, long seq, String reason) implements Step<R> {}

    /**
     * The entries between the row and those that are known are needed first.
     *
     * @param fromSeq the first of them
     */
    record Behind<R>(RunId run, Optional<Row<R>> row, long fromSeq) implements Step<R> {}

    /** Applies what the row does not know yet, entry by entry. */
    static <R> Step<R> of(Projection<R> projection, EventCodec codec, Change<R> change) {
        if (change.entries().isEmpty() || change.entries().get(0).seq() > change.next()) {
            return new Behind<>(change.run(), change.row(), change.next());
        }
        Optional<Row<R>> row = change.row();
        for (StoredEntry stored : change.entries()) {
            if (row.isPresent() && stored.seq() <= row.get().seq()) {
                continue;
            }
            try {
                R content = projection.after(row.map(Row::content), codec.decode(stored.entry()));
                row = Optional.of(new Row<>(stored.seq(), content));
            } catch (RuntimeException unfit) {
                return new Unreadable<>(change.run(), row, stored.seq(), String.valueOf(unfit.getMessage()));
            }
        }
        return row.map(Row::seq).equals(change.row().map(Row::seq))
                ? new Unchanged<>(change.run(), row)
                : new Moved<>(change.run(), row);
    }
}
