package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.journal.FencedOff;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Determines which rows of the journal are committed. Cassandra keeps the rows of two writers under one number, so an
 * entry written by the plugin is only an offer: it is committed once its number and writer are in {@code
 * journal_commit}, by one lightweight transaction on the journal's head, which only one of two writers can win:
 *
 * <pre>
 * UPDATE journal_commit SET head = n IF head = n - 1;  INSERT (n, writer)     -- one partition, so all or nothing
 * </pre>
 *
 * <p>Uncommitted rows (the writer died in between, or was fenced off) are never read. A commit of unknown outcome is
 * settled by the serial read of the head with which every recovery begins.
 */
final class JournalFence {
    /** Moves the head only from where the writer expects it. */
    private static final String MOVE_HEAD = "UPDATE journal_commit SET head = ? WHERE persistence_id = ? IF head = ?";

    private static final String COMMIT =
            "INSERT INTO journal_commit (persistence_id, sequence_nr, writer_uuid) VALUES (?, ?, ?)";
    private static final String HEAD = "SELECT head FROM journal_commit WHERE persistence_id = ? LIMIT 1";
    private static final String COMMITTED =
            "SELECT sequence_nr, writer_uuid FROM journal_commit WHERE persistence_id = ? AND sequence_nr >= ?"
                    + " AND sequence_nr <= ?";
    private static final String FORGET = "DELETE FROM journal_commit WHERE persistence_id = ? AND sequence_nr <= ?";

    private final Cassandra cassandra;

    JournalFence(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    /** A written entry: its number and its writer. */
    record Offer(long seq, String writer) {}

    /** Commits written entries, all or none; fails with {@link FencedOff} when another writer was first. */
    CompletionStage<Done> commit(String journal, List<Offer> offers) {
        long first = offers.get(0).seq();
        long last = offers.get(offers.size() - 1).seq();
        List<Cql> statements = new ArrayList<>();
        statements.add(new Cql(MOVE_HEAD, last, journal, first == 1 ? null : first - 1));
        offers.forEach(offer -> statements.add(new Cql(COMMIT, journal, offer.seq(), offer.writer())));
        return cassandra.ifSo("commit to the journal of " + journal, statements).thenApply(verdict -> {
            if (!verdict.isApplied()) {
                throw new FencedOff(journal, first);
            }
            return Done.getInstance();
        });
    }

    /** The number of the last committed entry, after settling pending commits; 0 when there is none. */
    CompletionStage<Long> head(String journal) {
        return cassandra
                .settledRows("read the journal of " + journal, HEAD, journal)
                .thenApply(rows -> rows.isEmpty() ? 0L : rows.get(0).getLong(0));
    }

    /** The writer of each committed entry, by number. */
    CompletionStage<Map<Long, String>> writers(String journal, long fromSeq, long toSeq) {
        return cassandra
                .rows("read the journal of " + journal, COMMITTED, journal, fromSeq, toSeq)
                .thenApply(JournalFence::writers);
    }

    private static Map<Long, String> writers(List<Row> rows) {
        Map<Long, String> writers = new HashMap<>();
        rows.forEach(row -> writers.put(row.getLong(0), String.valueOf(row.getString(1))));
        return writers;
    }

    /** Deletes the commit rows of deleted entries. The head stays, so that their numbers are never written again. */
    CompletionStage<Done> forget(String journal, long toSeq) {
        return cassandra.write("delete from the journal of " + journal, FORGET, journal, toSeq);
    }
}
