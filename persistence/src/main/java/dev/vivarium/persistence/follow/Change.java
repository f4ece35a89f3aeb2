package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Optional;

/**
 * A run that has, or may have, entries which its row does not know.
 *
 * @param row as the store holds it
 * @param entries some of the run's entries, in order and without gaps; none when only the journal knows
 */
public record Change<R>(RunId run, Optional<Row<R>> row, List<StoredEntry> entries) {
    /** The number of the first entry that the row does not know. */
    long next() {
        return row.map(Row::seq).orElse(0L) + 1;
    }
}
