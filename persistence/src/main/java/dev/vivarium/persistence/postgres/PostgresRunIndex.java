package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.store.RunCursor;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Queries the rows that {@link PostgresRunFeed} writes. Pages by key, so the last page costs what the first one does.
 */
final class PostgresRunIndex implements RunIndex {
    /** The most runs per page. */
    private static final int LIMIT_MAX = 500;

    private final Database database;

    PostgresRunIndex(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<RunPage> find(Query query) {
        if (query.limit() < 1 || query.limit() > LIMIT_MAX) {
            return CompletableFuture.failedFuture(
                    new IllegalArgumentException("The limit must be from 1 to " + LIMIT_MAX + "."));
        }
        Optional<RunCursor> after;
        try {
            after = query.cursor().map(RunCursor::decode);
        } catch (BadCursor refused) {
            return CompletableFuture.failedFuture(refused);
        }
        return database.transact("list runs", connection -> page(connection, query, after));
    }

    private static RunPage page(Connection connection, Query query, Optional<RunCursor> after) throws SQLException {
        try (PreparedStatement select = prepare(connection, query, after);
                ResultSet rows = select.executeQuery()) {
            List<RunView> runs = new ArrayList<>();
            while (runs.size() < query.limit() && rows.next()) {
                runs.add(RunList.read(rows.getString(1)));
            }
            boolean more = runs.size() == query.limit() && rows.next();
            return new RunPage(runs, more ? Optional.of(cursorAfter(runs.get(runs.size() - 1))) : Optional.empty());
        }
    }

    /** Only the requested conditions, so that the planner can pick the index. */
    private static PreparedStatement prepare(Connection connection, Query query, Optional<RunCursor> after)
            throws SQLException {
        StringBuilder sql = new StringBuilder("SELECT view FROM run_view WHERE true");
        List<Object> values = new ArrayList<>();
        if (!query.statuses().isEmpty()) {
            sql.append(" AND status = ANY (?)");
            values.add(query.statuses().stream().map(RunStatus::name).toArray(String[]::new));
        }
        if (!query.labels().isEmpty()) {
            sql.append(" AND labels @> ?::jsonb");
            values.add(LabelText.json(query.labels()));
        }
        query.since().ifPresent(since -> {
            sql.append(" AND submitted_at >= ?");
            // Truncated to microseconds like the column; the database would round.
            values.add(time(since.truncatedTo(ChronoUnit.MICROS)));
        });
        after.ifPresent(cursor -> {
            sql.append(" AND (submitted_at, run_id) < (?, ?)");
            values.add(time(cursor.submittedAt()));
            values.add(cursor.run().value());
        });
        sql.append(" ORDER BY submitted_at DESC, run_id DESC LIMIT ").append(query.limit() + 1);
        PreparedStatement select = connection.prepareStatement(sql.toString());
        for (int i = 0; i < values.size(); i++) {
            Object value = values.get(i);
            select.setObject(i + 1, value instanceof String[] array ? connection.createArrayOf("text", array) : value);
        }
        return select;
    }

    static OffsetDateTime time(Instant instant) {
        return OffsetDateTime.ofInstant(instant, ZoneOffset.UTC);
    }

    private static String cursorAfter(RunView run) {
        return new RunCursor(run.submittedAt(), run.id()).encode();
    }
}
