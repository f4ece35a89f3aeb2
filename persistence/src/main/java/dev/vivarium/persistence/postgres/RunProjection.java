package dev.vivarium.persistence.postgres;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the journal and keeps {@code run_view} as it says. A new row in the journal only names a run to look at; the run
 * is then folded from its first event, so that doing it twice, or too late, changes nothing. The offset moves in the same
 * transaction as what follows from it.
 *
 * <p>Rows do not become visible in the order of their numbers: a transaction that took 7 may commit after one that took
 * 8, and whoever has read 8 and goes on from there never sees 7. Guessing how long such a gap may last (as polling by
 * number must) loses a run sooner or later. Here each row carries its transaction's id, and only rows of transactions
 * older than every running one are taken ({@code transaction_id < pg_snapshot_xmin}): no row can ever appear before them,
 * so the offset (transaction, number) is exact. The price is that a long transaction holds the projection up, which the
 * server bounds ({@code idle_in_transaction_session_timeout}).
 *
 * <p>One thread of its own. Several nodes on one database take turns: whose offset is no longer the stored one gives up
 * its step. When the shape of {@link RunView} changes, give {@link #NAME} another number and empty the table in a
 * migration: the view is then made anew.
 */
final class RunProjection implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RunProjection.class);

    private static final String NAME = "run-view/1";

    /** How often an idle projection looks; a fifth of a millisecond's work, and no write. */
    private static final Duration POLL = Duration.ofMillis(100);

    private static final Duration POLL_WHEN_FAILING = Duration.ofSeconds(1);
    private static final int ROWS_A_STEP = 500;
    private static final long CLOSE_MILLIS_MAX = 5_000;

    private static final String OFFSET =
            "SELECT transaction_id::text, ordering FROM projection_offset WHERE projection = ?";

    private static final String NEW_ROWS =
            """
            SELECT transaction_id::text, ordering, persistence_id,
                transaction_id < pg_snapshot_xmin(pg_current_snapshot()) AS settled
            FROM event_journal WHERE (transaction_id, ordering) > (?::xid8, ?)
            ORDER BY event_journal.transaction_id, ordering LIMIT\s"""
                    + ROWS_A_STEP;

    private static final String ADVANCE =
            """
            UPDATE projection_offset SET transaction_id = ?::xid8, ordering = ?
            WHERE projection = ? AND transaction_id = ?::xid8 AND ordering = ?""";

    private static final String UPSERT =
            """
            INSERT INTO run_view (run_id, seq, status, submitted_at, labels, view)
            VALUES (?, ?, ?, ?, ?::jsonb, ?::json)
            ON CONFLICT (run_id) DO UPDATE SET seq = excluded.seq, status = excluded.status,
                submitted_at = excluded.submitted_at, labels = excluded.labels, view = excluded.view
            WHERE run_view.seq <= excluded.seq""";

    private static final String MARK_UNREADABLE =
            """
            INSERT INTO run_unreadable (run_id, reason) VALUES (?, ?)
            ON CONFLICT (run_id) DO UPDATE SET reason = excluded.reason""";

    private final Database database;
    private final PostgresJournal journal;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    private volatile long caughtUpNanos = System.nanoTime();

    /** The place up to which the journal has been followed. */
    private record Offset(String transaction, long ordering) {}

    /** New rows: the runs of the settled ones, where they end, and whether there is more to come. */
    private record News(Set<RunId> runs, Optional<Offset> upTo, boolean complete) {}

    /** How far a step got. */
    private enum Step {
        CAUGHT_UP,
        MORE_TO_DO,
        MUST_WAIT
    }

    RunProjection(Database database, PostgresJournal journal) {
        this.database = database;
        this.journal = journal;
        this.thread = new Thread(this::follow, "vivarium-projection");
        this.thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** How old the index's answers may be: the time since it last had everything that the journal had. */
    Duration lag() {
        return Duration.ofNanos(System.nanoTime() - caughtUpNanos);
    }

    private void follow() {
        boolean prepared = false;
        boolean failing = false;
        try {
            while (closing.getCount() > 0) {
                try {
                    if (!prepared) {
                        database.transactNow("prepare the index", this::prepare);
                        prepared = true;
                    }
                    boolean more = step();
                    failing = false;
                    if (!more) {
                        closing.await(POLL.toMillis(), TimeUnit.MILLISECONDS);
                    }
                } catch (RuntimeException failed) {
                    // Whatever it was: a projection that ends would leave the lists of runs standing still for ever.
                    if (!failing) {
                        tell(failed);
                    }
                    failing = true;
                    closing.await(POLL_WHEN_FAILING.toMillis(), TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static void tell(RuntimeException failed) {
        if (failed instanceof StoreUnavailable) {
            log.warn("The index of runs cannot follow the journal for now: {}", failed.getMessage());
        } else {
            log.error("The index of runs cannot follow the journal for now", failed);
        }
    }

    private boolean step() {
        long started = System.nanoTime();
        Step step = database.transactNow("follow the journal", this::stepIn);
        if (step == Step.CAUGHT_UP) {
            caughtUpNanos = started;
        }
        return step == Step.MORE_TO_DO;
    }

    /**
     * Makes the offset, and repairs what a database restored from a dump has: transaction ids of another server's life,
     * which may lie in this one's future. Looks once more at runs that an older version could not read.
     */
    private Boolean prepare(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("INSERT INTO projection_offset (projection, transaction_id, ordering) VALUES ('"
                    + NAME + "', '0', 0) ON CONFLICT DO NOTHING");
            statement.executeUpdate("UPDATE projection_offset SET transaction_id = '0', ordering = 0"
                    + " WHERE transaction_id > pg_snapshot_xmax(pg_current_snapshot())");
            statement.executeUpdate("UPDATE event_journal SET transaction_id = pg_current_xact_id()"
                    + " WHERE transaction_id > pg_snapshot_xmax(pg_current_snapshot())");
            List<RunId> again = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery("DELETE FROM run_unreadable RETURNING run_id")) {
                while (rows.next()) {
                    again.add(new RunId(rows.getString(1)));
                }
            }
            project(connection, again);
            return true;
        }
    }

    private Step stepIn(Connection connection) throws SQLException {
        Offset offset = offset(connection);
        News news = news(connection, offset);
        if (news.upTo().isEmpty()) {
            return news.complete() ? Step.CAUGHT_UP : Step.MUST_WAIT;
        }
        if (!advance(connection, offset, news.upTo().get())) {
            return Step.MUST_WAIT;
        }
        project(connection, news.runs());
        return Step.MORE_TO_DO;
    }

    private static Offset offset(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(OFFSET)) {
            query.setString(1, NAME);
            try (ResultSet rows = query.executeQuery()) {
                if (!rows.next()) {
                    throw new SQLException("The projection's offset is gone.");
                }
                return new Offset(rows.getString(1), rows.getLong(2));
            }
        }
    }

    /** Settled rows come first, since they are older than every unsettled one. */
    private static News news(Connection connection, Offset offset) throws SQLException {
        Set<RunId> runs = new LinkedHashSet<>();
        Optional<Offset> upTo = Optional.empty();
        int count = 0;
        try (PreparedStatement query = connection.prepareStatement(NEW_ROWS)) {
            query.setString(1, offset.transaction());
            query.setLong(2, offset.ordering());
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    count++;
                    if (rows.getBoolean(4)) {
                        RunPersistenceId.parse(rows.getString(3)).ifPresent(runs::add);
                        upTo = Optional.of(new Offset(rows.getString(1), rows.getLong(2)));
                    }
                }
            }
        }
        return new News(runs, upTo, count == 0);
    }

    /** Moves the offset from where we saw it; says no when another node has moved it meanwhile. */
    private static boolean advance(Connection connection, Offset from, Offset to) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(ADVANCE)) {
            update.setString(1, to.transaction());
            update.setLong(2, to.ordering());
            update.setString(3, NAME);
            update.setString(4, from.transaction());
            update.setLong(5, from.ordering());
            return update.executeUpdate() == 1;
        }
    }

    private void project(Connection connection, Iterable<RunId> runs) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement(UPSERT)) {
            for (RunId run : runs) {
                try {
                    add(upsert, journal.recorded(connection, run, 1));
                } catch (RuntimeException unreadable) {
                    // One damaged run must not hide all others; the damage stays on record.
                    log.error("Run {} cannot be shown in lists: {}", run, unreadable.getMessage());
                    markUnreadable(connection, run, unreadable);
                }
            }
            upsert.executeBatch();
        }
    }

    private static void add(PreparedStatement upsert, List<RecordedEvent> events) throws SQLException {
        if (!(PostgresJournal.fold(events) instanceof RunState.Existing state)) {
            return;
        }
        RunSpec spec = state.submission().spec();
        Map<String, String> labels = new TreeMap<>(spec.labels());
        labels.put(RunSpec.TENANT_LABEL, spec.tenant());
        Instant submittedAt = state.submission().submittedAt().truncatedTo(ChronoUnit.MICROS);
        upsert.setString(1, state.submission().id().value());
        upsert.setLong(2, events.get(events.size() - 1).seq());
        upsert.setString(3, state.status().name());
        upsert.setObject(4, PostgresRunIndex.time(submittedAt));
        upsert.setString(5, LabelText.json(labels));
        upsert.setString(6, json(RunView.of(state)));
        upsert.addBatch();
    }

    private static String json(RunView view) {
        try {
            return JournalJson.MAPPER.writeValueAsString(view);
        } catch (JsonProcessingException notWritable) {
            throw new IllegalStateException("A run's view has a JSON form.", notWritable);
        }
    }

    private static void markUnreadable(Connection connection, RunId run, RuntimeException reason) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(MARK_UNREADABLE)) {
            insert.setString(1, run.value());
            insert.setString(2, String.valueOf(reason.getMessage()).replace('\0', '?'));
            insert.executeUpdate();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(CLOSE_MILLIS_MAX);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
