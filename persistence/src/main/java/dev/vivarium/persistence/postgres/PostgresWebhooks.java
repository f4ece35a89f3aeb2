package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.WebhookEvent;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** Messages to webhooks in a table, a row each. */
final class PostgresWebhooks implements WebhookStore {
    private static final String SEARCHED = "SELECT searched FROM webhook_search";
    private static final String SEARCH = "UPDATE webhook_search SET searched = ? WHERE searched = ?";
    private static final String QUEUE =
            """
            INSERT INTO webhook_delivery (tenant, event, url, body, state, attempts, queued_at, next_at, tried_at, answer,
                run_id, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""";
    private static final String UPDATE =
            """
            UPDATE webhook_delivery SET state = ?, attempts = ?, queued_at = ?, next_at = ?, tried_at = ?, answer = ?
            WHERE run_id = ? AND seq = ?""";
    private static final String SELECT =
            """
            SELECT run_id, seq, tenant, event, url, body, state, attempts, queued_at, next_at, tried_at, answer
            FROM webhook_delivery""";
    private static final String OF = SELECT + " WHERE run_id = ? ORDER BY seq";
    private static final String FIND = SELECT + " WHERE run_id = ? AND seq = ?";
    private static final String PENDING =
            SELECT + " WHERE state = 'PENDING' AND queued_at >= ? ORDER BY queued_at LIMIT ?";
    private static final String FORGET = "DELETE FROM webhook_delivery WHERE queued_at < ?";

    private final Database database;

    PostgresWebhooks(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<Long> searched() {
        return database.query("read how far webhooks were looked for", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(SEARCHED);
                    ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    throw new SQLException("The row of the table webhook_search is missing.");
                }
                return rows.getLong(1);
            }
        });
    }

    @Override
    public CompletionStage<Queued> queue(List<Delivery> found, long from, long to) {
        return database.transact("queue messages to webhooks", connection -> {
            try (PreparedStatement search = connection.prepareStatement(SEARCH)) {
                search.setLong(1, to);
                search.setLong(2, from);
                if (search.executeUpdate() != 1) {
                    return Queued.SEARCHED_MEANWHILE;
                }
            }
            insert(connection, found);
            return Queued.DONE;
        });
    }

    private static void insert(Connection connection, List<Delivery> found) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(QUEUE)) {
            for (Delivery delivery : found) {
                Message message = delivery.message();
                insert.setString(1, message.tenant().name());
                insert.setString(2, message.event().toString());
                insert.setString(3, message.url());
                insert.setString(4, message.body());
                int next = setProgress(insert, 5, delivery.progress());
                insert.setString(next, message.run().value());
                insert.setLong(next + 1, message.seq());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static int setProgress(PreparedStatement statement, int first, Progress progress) throws SQLException {
        statement.setString(first, progress.state().name());
        statement.setInt(first + 1, progress.attempts());
        statement.setObject(first + 2, PostgresRunIndex.time(progress.queuedAt()));
        statement.setObject(first + 3, PostgresRunIndex.time(progress.nextAt()));
        statement.setObject(
                first + 4, progress.triedAt().map(PostgresRunIndex::time).orElse(null));
        statement.setString(first + 5, progress.answer().orElse(null));
        return first + 6;
    }

    @Override
    public CompletionStage<Done> update(Delivery delivery) {
        return database.atOnce("note what came of a message to a webhook", connection -> {
            try (PreparedStatement update = connection.prepareStatement(UPDATE)) {
                int next = setProgress(update, 1, delivery.progress());
                update.setString(next, delivery.message().run().value());
                update.setLong(next + 1, delivery.message().seq());
                update.executeUpdate();
                return Done.getInstance();
            }
        });
    }

    @Override
    public CompletionStage<Optional<Delivery>> find(RunId run, long seq) {
        return database.query("look for a message to a webhook", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(FIND)) {
                statement.setString(1, run.value());
                statement.setLong(2, seq);
                return all(statement).stream().findFirst();
            }
        });
    }

    @Override
    public CompletionStage<List<Delivery>> of(RunId run) {
        return database.query("list the messages to a webhook", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(OF)) {
                statement.setString(1, run.value());
                return all(statement);
            }
        });
    }

    @Override
    public CompletionStage<List<Delivery>> pending(Instant queuedSince, int limit) {
        return database.query("list the messages to webhooks that are pending", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(PENDING)) {
                statement.setObject(1, PostgresRunIndex.time(queuedSince));
                statement.setInt(2, limit);
                return all(statement);
            }
        });
    }

    @Override
    public CompletionStage<Done> forget(Instant queuedBefore) {
        return database.atOnce("remove old messages to webhooks", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(FORGET)) {
                statement.setObject(1, PostgresRunIndex.time(queuedBefore));
                statement.executeUpdate();
                return Done.getInstance();
            }
        });
    }

    private static List<Delivery> all(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            List<Delivery> all = new ArrayList<>();
            while (rows.next()) {
                all.add(new Delivery(
                        new Message(
                                new RunId(rows.getString("run_id")),
                                rows.getLong("seq"),
                                new Tenant(rows.getString("tenant")),
                                WebhookEvent.parse(rows.getString("event")),
                                rows.getString("url"),
                                rows.getString("body")),
                        new Progress(
                                State.valueOf(rows.getString("state")),
                                rows.getInt("attempts"),
                                time(rows, "queued_at").orElseThrow(),
                                time(rows, "next_at").orElseThrow(),
                                time(rows, "tried_at"),
                                Optional.ofNullable(rows.getString("answer")))));
            }
            return all;
        }
    }

    private static Optional<Instant> time(ResultSet row, String column) throws SQLException {
        return Optional.ofNullable(row.getObject(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }
}
