package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.follow.Row;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.follow.Step;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The rows of the list of runs ({@code run_view}), and the runs that cannot be read. */
final class RunRows {
    private static final Logger log = LoggerFactory.getLogger(RunRows.class);

    private static final String READ = "SELECT run_id, seq, view FROM run_view WHERE run_id = ANY (?)";

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

    private RunRows() {}

    /** The readable rows of these runs. */
    static Map<RunId, Row<RunView>> read(Connection connection, Collection<RunId> runs) throws SQLException {
        Map<RunId, Row<RunView>> found = new HashMap<>();
        if (runs.isEmpty()) {
            return found;
        }
        try (PreparedStatement query = connection.prepareStatement(READ)) {
            query.setArray(1, ids(connection, runs));
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    RunId run = new RunId(rows.getString(1));
                    try {
                        found.put(run, new Row<>(rows.getLong(2), RunList.read(rows.getString(3))));
                    } catch (IllegalStateException unreadable) {
                        log.warn("Rebuilding the row of run {} from the journal: {}", run, unreadable.getMessage());
                    }
                }
            }
        }
        return found;
    }

    private static java.sql.Array ids(Connection connection, Collection<RunId> runs) throws SQLException {
        return connection.createArrayOf(
                "bpchar", runs.stream().map(RunId::value).toArray(String[]::new));
    }

    static void write(Connection connection, List<Step<RunView>> steps) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement(UPSERT);
                PreparedStatement mark = connection.prepareStatement(MARK_UNREADABLE)) {
            for (Step<RunView> step : steps) {
                if (!(step instanceof Step.Unchanged) && step.row().isPresent()) {
                    add(upsert, step.row().get());
                }
                if (step instanceof Step.Unreadable<RunView> stuck) {
                    mark.setString(1, stuck.run().value());
                    mark.setString(2, stuck.reason().replace('\0', '?'));
                    mark.addBatch();
                }
            }
            upsert.executeBatch();
            mark.executeBatch();
        }
    }

    private static void add(PreparedStatement upsert, Row<RunView> row) throws SQLException {
        RunView view = row.content();
        upsert.setString(1, view.id().value());
        upsert.setLong(2, row.seq());
        upsert.setString(3, view.status().name());
        upsert.setObject(4, PostgresRunIndex.time(view.submittedAt().truncatedTo(ChronoUnit.MICROS)));
        upsert.setString(5, LabelText.json(RunList.labels(view)));
        upsert.setString(6, RunList.write(view));
        upsert.addBatch();
    }

    static Set<RunId> unreadable(Connection connection) throws SQLException {
        Set<RunId> runs = new HashSet<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT run_id FROM run_unreadable")) {
            while (rows.next()) {
                runs.add(new RunId(rows.getString(1)));
            }
        }
        return runs;
    }

    static void forgetUnreadable(Connection connection, Set<RunId> runs) throws SQLException {
        if (runs.isEmpty()) {
            return;
        }
        try (PreparedStatement delete =
                connection.prepareStatement("DELETE FROM run_unreadable WHERE run_id = ANY (?)")) {
            delete.setArray(1, ids(connection, runs));
            delete.executeUpdate();
        }
    }

    /** Deletes all rows, to rebuild them. */
    static void clear(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM run_view");
            statement.executeUpdate("DELETE FROM run_unreadable");
        }
    }
}
