package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.KeptData.Size;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * How much is kept of tenants. Blobs are one sum. Of output, the last chunk of each run tells where it ends: two looks into
 * the index and one into the list of runs for each run, however much it printed, and some hundred runs a transaction.
 */
final class PostgresKeptSizes {
    private static final int PAGE = 500;

    private static final String BLOBS = "SELECT tenant, sum(bytes)::bigint FROM blob GROUP BY tenant";

    private static final String OUTPUT =
            """
            WITH RECURSIVE run AS (
                (SELECT run_id FROM run_output WHERE run_id > ?::bpchar AND byte_offset >= 0 ORDER BY run_id LIMIT 1)
                UNION ALL
                SELECT (SELECT run_id FROM run_output AS next WHERE next.run_id > run.run_id AND byte_offset >= 0
                    ORDER BY run_id LIMIT 1)
                FROM run WHERE run_id IS NOT NULL),
            page AS (SELECT run_id FROM run WHERE run_id IS NOT NULL LIMIT %d)
            SELECT page.run_id, run_view.labels ->> ?, run_view.status,
                (SELECT byte_offset + octet_length(data) FROM run_output
                    WHERE run_output.run_id = page.run_id AND byte_offset >= 0 ORDER BY byte_offset DESC LIMIT 1)
            FROM page LEFT JOIN run_view ON run_view.run_id = page.run_id ORDER BY page.run_id"""
                    .formatted(PAGE);

    private final Database database;
    private final Map<Tenant, Size> sizes = new HashMap<>();

    PostgresKeptSizes(Database database) {
        this.database = database;
    }

    /** What was printed by a run that the list has; without a tenant for one that it does not have. */
    private record Printed(String run, Optional<Tenant> tenant, long bytes) {}

    /** Called once; empty when it was not to go on. */
    Optional<Map<Tenant, Size>> measure(BooleanSupplier goOn) {
        database.transactNow("measure its blobs", this::addBlobs);
        String last = "";
        while (goOn.getAsBoolean()) {
            String after = last;
            List<Printed> page =
                    database.transactNow("measure the output of runs", connection -> printed(connection, after));
            if (page.isEmpty()) {
                return Optional.of(Map.copyOf(sizes));
            }
            page.forEach(run -> run.tenant.ifPresent(tenant -> add(tenant, new Size(run.bytes, 0))));
            last = page.get(page.size() - 1).run;
        }
        return Optional.empty();
    }

    private void add(Tenant tenant, Size size) {
        if (size.bytes() > 0) {
            sizes.merge(tenant, size, Size::plus);
        }
    }

    private int addBlobs(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(BLOBS);
                ResultSet rows = query.executeQuery()) {
            while (rows.next()) {
                add(new Tenant(rows.getString(1)), new Size(0, rows.getLong(2)));
            }
            return sizes.size();
        }
    }

    private static List<Printed> printed(Connection connection, String after) throws SQLException {
        List<Printed> page = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(OUTPUT)) {
            query.setString(1, after);
            query.setString(2, RunSpec.TENANT_LABEL);
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    // A run without a row in the list has begun a moment ago, or cannot be read.
                    boolean hasEnded = Optional.ofNullable(rows.getString(3))
                            .map(RunStatus::valueOf)
                            .filter(RunStatus::isTerminal)
                            .isPresent();
                    Optional<Tenant> tenant = hasEnded
                            ? Optional.ofNullable(rows.getString(2))
                                    .filter(Tenant::isValid)
                                    .map(Tenant::new)
                            : Optional.empty();
                    page.add(new Printed(rows.getString(1), tenant, rows.getLong(4)));
                }
            }
        }
        return page;
    }
}
