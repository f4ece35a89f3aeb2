package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.util.Optional;

/** The effect of a {@link Change} on a run's row. */
public sealed interface Step<R> {
    /** The run of the row. */
    RunId run();

    /** The row to store; empty for a run without a readable event. */
    Optional<Row<R>> row();

    /** The row advanced to a later event. */
    record Moved<R>(RunId run, Optional<Row<R>> row) implements Step<R> {}

    /** The row already included everything. */
    record Unchanged<R>(RunId run, Optional<Row<R>> row) implements Step<R> {}

    /**
     * An entry cannot be read by this version of the code, or cannot follow: the row stays at the entry before it, and
     * the rest of the run waits for a node that can read it.
     *
     * @param seq the number of that entry
     */
    record Unreadable<R>(RunId run, Optional<Row<R>> row, long seq, String reason) implements Step<R> {}

    /**
     * Entries between the row and the given ones must be read first.
     *
     * @param fromSeq the first of them
     */
    record Behind<R>(RunId run, Optional<Row<R>> row, long fromSeq) implements Step<R> {}

    /** Applies the entries that the row does not include yet, one by one, unless the row after them is known. */
    static <R> Step<R> of(Projection<R> projection, EventCodec codec, Change<R> change) {
        if (change.known().isPresent()) {
            return new Moved<>(change.run(), change.known());
        }
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
