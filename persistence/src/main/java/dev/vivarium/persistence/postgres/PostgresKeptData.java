package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.content.BlobKey;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.SubmissionTime;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** What is kept of runs, in the order of their ids, which is that of their submission. */
final class PostgresKeptData implements KeptData {
    private static final int PAGE = 200;

    /** One look into the index for each run, however many chunks it has. The rows before the first byte are no output. */
    private static final String OUTPUT =
            """
            WITH RECURSIVE run AS (
                (SELECT run_id FROM run_output WHERE run_id > ?::bpchar AND run_id < ?::bpchar AND byte_offset >= 0
                    ORDER BY run_id LIMIT 1)
                UNION ALL
                SELECT (SELECT run_id FROM run_output AS next WHERE next.run_id > run.run_id AND next.run_id < ?::bpchar
                    AND next.byte_offset >= 0 ORDER BY run_id LIMIT 1)
                FROM run WHERE run_id IS NOT NULL)
            SELECT run_id FROM run WHERE run_id IS NOT NULL LIMIT %d"""
                    .formatted(PAGE);

    private static final String ARTIFACTS =
            """
            SELECT DISTINCT run_id FROM blob_hold WHERE held_at >= ? AND run_id > ? AND run_id < ?
            ORDER BY run_id LIMIT %d"""
                    .formatted(PAGE);

    private static final String HAS_OUTPUT =
            "SELECT EXISTS (SELECT FROM run_output WHERE run_id = ? AND byte_offset >= 0)";
    private static final String HAS_ARTIFACTS = "SELECT EXISTS (SELECT FROM blob_hold WHERE run_id = ?)";
    private static final String IN_USE = "SELECT EXISTS (SELECT FROM blob_hold WHERE tenant = ? AND digest = ?)";
    private static final String DELETE_ARTIFACTS = "DELETE FROM blob_hold WHERE run_id = ?";

    private final Database database;

    PostgresKeptData(Database database) {
        this.database = database;
    }

    @Override
    public void forEach(Kind kind, Instant submittedBefore, Consumer<RunId> visit) {
        String end = SubmissionTime.bound(submittedBefore);
        String last = "";
        while (true) {
            String after = last;
            List<String> page = database.transactNow("look for what is kept of runs", connection -> switch (kind) {
                case OUTPUT -> page(connection, OUTPUT, after, end, end);
                case ARTIFACTS -> page(connection, ARTIFACTS, PostgresBlobs.time(BlobHolder.FOR_EVER), after, end);
            });
            if (page.isEmpty()) {
                return;
            }
            page.forEach(name -> BlobHolder.run(name).ifPresent(visit));
            last = page.get(page.size() - 1);
        }
    }

    private static List<String> page(Connection connection, String sql, Object... values) throws SQLException {
        List<String> names = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                query.setObject(i + 1, values[i]);
            }
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    names.add(rows.getString(1));
                }
            }
        }
        return names;
    }

    @Override
    public boolean has(Kind kind, RunId run) {
        return database.transactNow("look for the " + kind + " of run " + run, connection -> switch (kind) {
            case OUTPUT -> exists(connection, HAS_OUTPUT, run.value());
            case ARTIFACTS -> exists(
                    connection, HAS_ARTIFACTS, BlobHolder.recorded(run).name());
        });
    }

    private static boolean exists(Connection connection, String sql, String name) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setString(1, name);
            try (ResultSet row = query.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    @Override
    public boolean isInUse(Tenant tenant, Digest digest) {
        return database.transactNow("look for runs with a content", connection -> {
            try (PreparedStatement query = connection.prepareStatement(IN_USE)) {
                query.setString(1, tenant.name());
                query.setString(2, digest.hex());
                try (ResultSet row = query.executeQuery()) {
                    return row.next() && row.getBoolean(1);
                }
            }
        });
    }

    @Override
    public boolean deleteContent(Tenant tenant, Digest digest) {
        return new PostgresBlobLeftovers(database)
                .removeIfIdle(new BlobKey(tenant.name(), digest), BlobHolder.FOR_EVER);
    }

    @Override
    public Deletion delete(Kind kind, Tenant tenant, RunId run) {
        return database.transactNow("delete the " + kind + " of run " + run, connection -> {
            if (PostgresHolds.isHeld(connection, tenant)) {
                return Deletion.HELD;
            }
            boolean deleted =
                    switch (kind) {
                        case OUTPUT -> PostgresOutput.delete(connection, run);
                        case ARTIFACTS -> PostgresBlobs.update(
                                        connection,
                                        DELETE_ARTIFACTS,
                                        BlobHolder.recorded(run).name())
                                > 0;
                    };
            return deleted ? Deletion.DELETED : Deletion.NOTHING;
        });
    }

    @Override
    public Optional<Map<Tenant, Size>> sizes(BooleanSupplier goOn) {
        return new PostgresKeptSizes(database).measure(goOn);
    }
}
