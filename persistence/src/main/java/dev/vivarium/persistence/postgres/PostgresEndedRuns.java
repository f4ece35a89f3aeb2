package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.store.EndedRuns;
import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.persistence.store.SubmissionTime;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** Runs that have ended, in the order of their ids, which is that of their submission. */
final class PostgresEndedRuns implements EndedRuns {
    private static final int PAGE = 1_000;

    private static final String ENDED =
            """
            SELECT run_id, labels ->> '%s' FROM run_view
            WHERE run_id > ?::bpchar AND run_id < ?::bpchar AND status = ANY (?) ORDER BY run_id LIMIT %d"""
                    .formatted(RunSpec.TENANT_LABEL, PAGE);

    private static final String EVENTS = "DELETE FROM event_journal WHERE persistence_id = ANY (?::varchar[])";
    private static final String FILES = "DELETE FROM blob_hold WHERE run_id = ANY (?::text[])";
    /** Tables with a row for each run or more, all that is derived from its events, and what it has left. */
    private static final List<String> OF_RUNS = List.of(
            "DELETE FROM audit_event WHERE run_id = ANY (?::bpchar[])",
            "DELETE FROM audit_run WHERE run_id = ANY (?::bpchar[])",
            "DELETE FROM run_view WHERE run_id = ANY (?::bpchar[])",
            "DELETE FROM run_unreadable WHERE run_id = ANY (?::bpchar[])",
            "DELETE FROM run_output WHERE run_id = ANY (?::bpchar[])",
            // Without an index: one look at all keys for a hundred runs costs less than an index at each submission.
            "DELETE FROM claimed_key WHERE run_id = ANY (?::bpchar[])");

    private final Database database;

    PostgresEndedRuns(Database database) {
        this.database = database;
    }

    private record Ended(Tenant tenant, RunId run) {}

    @Override
    public void forEach(Instant submittedBefore, BiConsumer<Tenant, RunId> visit) {
        String end = SubmissionTime.bound(submittedBefore);
        String last = "";
        while (true) {
            String after = last;
            List<Ended> page =
                    database.transactNow("look for runs that have ended", connection -> page(connection, after, end));
            page.forEach(ended -> visit.accept(ended.tenant(), ended.run()));
            if (page.size() < PAGE) {
                return;
            }
            last = page.get(page.size() - 1).run().value();
        }
    }

    private static List<Ended> page(Connection connection, String after, String end) throws SQLException {
        List<Ended> page = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(ENDED)) {
            query.setString(1, after);
            query.setString(2, end);
            query.setArray(
                    3,
                    connection.createArrayOf(
                            "varchar",
                            Arrays.stream(RunStatus.values())
                                    .filter(RunStatus::isTerminal)
                                    .map(RunStatus::name)
                                    .toArray()));
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    page.add(new Ended(new Tenant(rows.getString(2)), new RunId(rows.getString(1))));
                }
            }
        }
        return page;
    }

    @Override
    public Deletion delete(Tenant tenant, Collection<RunId> runs) {
        return database.transactNow("delete runs with their events", connection -> {
            if (PostgresHolds.isHeld(connection, tenant)) {
                return Deletion.HELD;
            }
            int events = delete(
                    connection, EVENTS, runs, run -> RunPersistenceId.of(run).id());
            delete(connection, FILES, runs, run -> BlobHolder.recorded(run).name());
            for (String table : OF_RUNS) {
                delete(connection, table, runs, RunId::value);
            }
            return events > 0 ? Deletion.DELETED : Deletion.NOTHING;
        });
    }

    private static int delete(Connection connection, String sql, Collection<RunId> runs, Function<RunId, String> name)
            throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(sql)) {
            delete.setArray(
                    1, connection.createArrayOf("text", runs.stream().map(name).toArray()));
            return delete.executeUpdate();
        }
    }
}
