package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Optional;

/**
 * A run with, possibly, entries that are not in its row yet.
 *
 * @param row the stored row
 * @param entries some of the run's entries, in order and without gaps; none when they must be read from the journal
 * @param known the row after these entries, or after later durable ones, if it need not be derived from them
 */
public record Change<R>(RunId run, Optional<Row<R>> row, List<StoredEntry> entries, Optional<Row<R>> known) {
    /** A change whose row must be derived from its entries. */
    public Change(RunId run, Optional<Row<R>> row, List<StoredEntry> entries) {
        this(run, row, entries, Optional.empty());
    }

    /** The number of the first entry not in the row. */
    long next() {
        return row.map(Row::seq).orElse(0L) + 1;
    }
}
