package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.store.OutputChunk;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The end of a part of a run's output.
 *
 * @param end the offset after its last byte; null in an empty part, as in the table
 * @param attempt the last attempt that wrote to it
 * @param state whether it can be appended to
 */
record OutputTail(@Nullable Long end, @Nullable Integer attempt, State state) {
    /** The row of a part's tail, by run and part. */
    static final String QUERY =
            "SELECT part_end, attempt_last, closed FROM run_output WHERE run_id = ? AND part = ? LIMIT 1";

    enum State {
        OPEN,
        CLOSED
    }

    static final OutputTail EMPTY = new OutputTail(null, null, State.OPEN);

    static OutputTail of(Row row) {
        return new OutputTail(
                row.isNull("part_end") ? null : row.getLong("part_end"),
                row.isNull("attempt_last") ? null : row.getInt("attempt_last"),
                !row.isNull("closed") && row.getBoolean("closed") ? State.CLOSED : State.OPEN);
    }

    /** From the answer to a refused transaction, which has no columns when there is no row. */
    static OutputTail of(Optional<Row> row) {
        return row.filter(present -> present.getColumnDefinitions().contains("part_end"))
                .map(OutputTail::of)
                .orElse(EMPTY);
    }

    boolean isAfter(OutputChunk chunk) {
        return (end != null && chunk.offset() < end) || (attempt != null && chunk.attempt() < attempt);
    }
}
