package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.follow.RunKeys;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Iterator;

/** The keys in their table. Keys of live runs are rewrapped with the current master key. */
final class KeyRows implements RunKeys {
    private static final String KEYS = "SELECT run_id FROM secret_key";
    private static final int ROWS_A_PAGE = 200;

    private final Cassandra cassandra;
    private final CassandraSecretVault vault;

    KeyRows(Cassandra cassandra, CassandraSecretVault vault) {
        this.cassandra = cassandra;
        this.vault = vault;
    }

    @Override
    public Iterator<RunId> runs() {
        return new Pages(Cassandra.await(cassandra.page("list the keys of secrets", ROWS_A_PAGE, KEYS)));
    }

    @Override
    public void shred(RunId run) {
        Cassandra.await(vault.shred(run));
    }

    @Override
    public void shredUnlessSealedSince(RunId run, Instant since) {
        Cassandra.await(vault.shredUnlessSealedSince(run, since));
    }

    @Override
    public void renew(RunId run) {
        Cassandra.await(vault.rewrap(run));
    }

    /** All rows, page by page. */
    private static final class Pages implements Iterator<RunId> {
        private AsyncResultSet page;
        private Iterator<Row> rows;

        Pages(AsyncResultSet first) {
            this.page = first;
            this.rows = first.currentPage().iterator();
        }

        @Override
        public boolean hasNext() {
            while (!rows.hasNext() && page.hasMorePages()) {
                page = Cassandra.await(page.fetchNextPage());
                rows = page.currentPage().iterator();
            }
            return rows.hasNext();
        }

        @Override
        public RunId next() {
            return new RunId(String.valueOf(rows.next().getString(0)));
        }
    }
}
