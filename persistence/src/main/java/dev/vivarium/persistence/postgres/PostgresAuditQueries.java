package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.Block;
import dev.vivarium.persistence.audit.Tally;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Queries of the order over all runs, each in its caller's transaction. */
final class PostgresAuditQueries {
    /** Positions that one statement looks into: a statement for the rarest thing still ends within a fraction of a second. */
    private static final long WINDOW = 1L << 18;

    /** One plan for all values is wrong here: one tenant may have one event of a million, and another all others. */
    private static final String SETTINGS = "SET LOCAL plan_cache_mode = force_custom_plan";

    private static final String ENTRIES =
            """
            SELECT position, at, run_id, seq, tenant, type, node, image, principal, reason, labels,
                event_ser_id, event_ser_manifest, event_payload
            FROM (SELECT * FROM audit_event WHERE position >= ? AND position < ?%s ORDER BY position %s LIMIT ?) AS event
            LEFT JOIN event_journal ON sequence_number = seq AND persistence_id =
                CASE WHEN starts_with(run_id, '7') THEN 'act|' ELSE 'run|' END || run_id
            ORDER BY position %s""";

    /** Key and value of a label are separated by a character that is in no key. */
    private static final char SEPARATOR = '\u001f';

    /** An event that is gone from the journal, or is no entry. */
    private static final JournalEntry MISSING = new JournalEntry("Missing", 0, Blob.EMPTY, Blob.EMPTY, Blob.EMPTY);

    static String[] labels(Map<String, String> labels) {
        return labels.entrySet().stream()
                .map(label -> label.getKey() + SEPARATOR + label.getValue())
                .sorted()
                .toArray(String[]::new);
    }

    static List<Window> windows(Window range, AuditOrder order) {
        List<Window> windows = new ArrayList<>();
        if (order == AuditOrder.OLDEST) {
            for (long from = range.from(); from < range.to(); from += WINDOW) {
                windows.add(new Window(from, Math.min(range.to(), from + WINDOW)));
            }
        } else {
            for (long to = range.to(); to > range.from(); to -= WINDOW) {
                windows.add(new Window(Math.max(range.from(), to - WINDOW), to));
            }
        }
        return windows;
    }

    /** Only the requested conditions, so that the planner can pick the index. */
    List<AuditEntry> entries(Connection connection, AuditFilter filter, Window window, AuditOrder order, int limit)
            throws SQLException {
        try (Statement settings = connection.createStatement()) {
            settings.execute(SETTINGS);
        }
        StringBuilder conditions = new StringBuilder();
        List<Object> values = new ArrayList<>();
        if (!filter.runs().isEmpty()) {
            conditions.append(" AND run_id = ANY (?::bpchar[])");
            values.add(filter.runs().toArray(String[]::new));
        }
        filter.words().forEach((field, any) -> {
            conditions.append(" AND ").append(column(field)).append(" = ANY (?)");
            values.add(any.toArray(String[]::new));
        });
        if (!filter.labels().isEmpty()) {
            conditions.append(" AND labels @> ?");
            values.add(labels(filter.labels()));
        }
        // The column has microseconds, and the database would round.
        filter.since().ifPresent(since -> {
            conditions.append(" AND at >= ?");
            values.add(PostgresRunIndex.time(since.truncatedTo(ChronoUnit.MICROS)));
        });
        filter.until().ifPresent(until -> {
            conditions.append(" AND at < ?");
            values.add(PostgresRunIndex.time(until.truncatedTo(ChronoUnit.MICROS)));
        });
        String direction = order == AuditOrder.NEWEST ? "DESC" : "ASC";
        try (PreparedStatement query =
                connection.prepareStatement(ENTRIES.formatted(conditions, direction, direction))) {
            query.setLong(1, window.from());
            query.setLong(2, window.to());
            int index = 3;
            for (Object value : values) {
                if (value instanceof String[] texts) {
                    query.setArray(index++, connection.createArrayOf("text", texts));
                } else {
                    query.setObject(index++, value);
                }
            }
            query.setInt(index, limit);
            try (ResultSet rows = query.executeQuery()) {
                return entries(rows);
            }
        }
    }

    private static String column(Field field) {
        return switch (field) {
            case TENANT -> "tenant";
            case TYPE -> "type";
            case NODE -> "node";
            case REASON -> "reason";
            case BY -> "principal";
            case IMAGE -> "image";
        };
    }

    private static List<AuditEntry> entries(ResultSet rows) throws SQLException {
        List<AuditEntry> entries = new ArrayList<>();
        while (rows.next()) {
            entries.add(new AuditEntry(
                    rows.getLong(1),
                    rows.getObject(2, OffsetDateTime.class).toInstant(),
                    new RunId(rows.getString(3)),
                    rows.getLong(4),
                    rows.getString(6),
                    rows.getString(7),
                    rows.getString(5),
                    rows.getString(8),
                    Optional.ofNullable(rows.getString(9)),
                    Optional.ofNullable(rows.getString(10)),
                    labels((String[]) rows.getArray(11).getArray()),
                    entry(rows)));
        }
        return entries;
    }

    private static Map<String, String> labels(String[] stored) {
        Map<String, String> labels = new java.util.HashMap<>();
        for (String label : stored) {
            int end = label.indexOf(SEPARATOR);
            labels.put(label.substring(0, end), label.substring(end + 1));
        }
        return labels;
    }

    private static JournalEntry entry(ResultSet row) throws SQLException {
        try {
            return row.getString(13) == null ? MISSING : PostgresJournal.entry(row, 12);
        } catch (IllegalArgumentException damaged) {
            return MISSING;
        }
    }

    static Optional<Block> block(Connection connection, long number) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT at_min, at_max FROM audit_block WHERE block = ?")) {
            query.setLong(1, number);
            try (ResultSet row = query.executeQuery()) {
                return row.next()
                        ? Optional.of(new Block(
                                number,
                                row.getObject(1, OffsetDateTime.class).toInstant(),
                                row.getObject(2, OffsetDateTime.class).toInstant()))
                        : Optional.empty();
            }
        }
    }

    static Optional<Window> positions(Connection connection, Optional<Instant> since, Optional<Instant> until)
            throws SQLException {
        String sql = "SELECT min(block), max(block) FROM audit_block WHERE true"
                + (since.isPresent() ? " AND at_max >= ?" : "")
                + (until.isPresent() ? " AND at_min < ?" : "");
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            int index = 1;
            if (since.isPresent()) {
                query.setObject(index++, PostgresRunIndex.time(since.get().truncatedTo(ChronoUnit.MICROS)));
            }
            if (until.isPresent()) {
                query.setObject(index, PostgresRunIndex.time(until.get().truncatedTo(ChronoUnit.MICROS)));
            }
            try (ResultSet row = query.executeQuery()) {
                row.next();
                long first = row.getLong(1);
                return row.wasNull()
                        ? Optional.empty()
                        : Optional.of(new Window(first * Block.POSITIONS, (row.getLong(2) + 1) * Block.POSITIONS));
            }
        }
    }

    static List<Tally.Count> counts(
            Connection connection, Tally.Measure measure, Optional<String> tenant, Instant since, Instant until)
            throws SQLException {
        String sql =
                "SELECT period, tenant, key, total FROM audit_count WHERE measure = ? AND period >= ? AND period < ?"
                        + (tenant.isPresent() ? " AND tenant = ?" : "") + " ORDER BY period, tenant, key LIMIT "
                        + (AuditQueries.COUNTS_MAX + 1);
        List<Tally.Count> counts = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setString(1, measure.name());
            query.setObject(2, PostgresRunIndex.time(since));
            query.setObject(3, PostgresRunIndex.time(until));
            if (tenant.isPresent()) {
                query.setString(4, tenant.get());
            }
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    counts.add(new Tally.Count(
                            new Tally(
                                    measure,
                                    rows.getObject(1, OffsetDateTime.class).toInstant(),
                                    rows.getString(2),
                                    rows.getString(3)),
                            rows.getLong(4)));
                }
            }
        }
        return counts;
    }
}
