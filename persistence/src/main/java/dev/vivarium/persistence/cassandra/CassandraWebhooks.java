package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.WebhookEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;

/**
 * Messages to webhooks, a partition per run. Before a message is queued, a row of its hour says that it may be pending, and
 * that row goes when it no longer is; one that is left over, as by a crash in between, is found to be wrong and removed.
 */
final class CassandraWebhooks implements WebhookStore {
    private static final String SEARCHED = "SELECT searched FROM webhook_search WHERE one = 0";
    private static final String BEGIN = "INSERT INTO webhook_search (one, searched) VALUES (0, ?) IF NOT EXISTS";
    private static final String SEARCH = "UPDATE webhook_search SET searched = ? WHERE one = 0 IF searched = ?";
    private static final String QUEUE =
            "INSERT INTO webhook_delivery (run_id, seq, tenant, event, url, body, state, attempts, queued_at, next_at,"
                    + " tried_at, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS";
    /** All columns, so that all live equally long. */
    private static final String UPDATE =
            "UPDATE webhook_delivery SET tenant = ?, event = ?, url = ?, body = ?, state = ?, attempts = ?,"
                    + " queued_at = ?, next_at = ?, tried_at = ?, answer = ? WHERE run_id = ? AND seq = ? IF EXISTS";

    private static final String SELECT =
            "SELECT run_id, seq, tenant, event, url, body, state, attempts, queued_at, next_at, tried_at, answer"
                    + " FROM webhook_delivery WHERE run_id = ?";
    private static final String FIND = SELECT + " AND seq = ?";
    private static final String MAY_BE = "INSERT INTO webhook_pending (hour, run_id, seq) VALUES (?, ?, ?)";
    private static final String IS_NOT = "DELETE FROM webhook_pending WHERE hour = ? AND run_id = ? AND seq = ?";
    private static final String PENDING = "SELECT hour, run_id, seq FROM webhook_pending WHERE hour = ?";

    /** Rows that are read or written at a time. */
    private static final int AT_A_TIME = 64;

    private final Cassandra cassandra;
    private final Clock clock;

    CassandraWebhooks(Cassandra cassandra, Clock clock) {
        this.cassandra = cassandra;
        this.clock = clock;
    }

    @Override
    public CompletionStage<Long> searched() {
        return cassandra
                .settledRows("read how far webhooks were looked for", SEARCHED)
                .thenApply(rows -> rows.isEmpty() ? 0L : rows.get(0).getLong(0));
    }

    @Override
    public CompletionStage<Queued> queue(List<Delivery> found, long from, long to) {
        return inParts(found, this::queue)
                .thenCompose(queued -> cassandra.ifSo(
                        "queue messages to webhooks",
                        List.of(from == 0 ? new Cql(BEGIN, to) : new Cql(SEARCH, to, from))))
                .thenApply(verdict -> verdict.isApplied() ? Queued.DONE : Queued.SEARCHED_MEANWHILE);
    }

    private CompletionStage<?> queue(Delivery delivery) {
        Message message = delivery.message();
        List<@Nullable Object> values = new ArrayList<>(List.of(message.run().value(), message.seq()));
        values.addAll(columns(delivery));
        return noted(delivery)
                .thenCompose(noted ->
                        cassandra.ifSo("queue a message to a webhook", List.of(new Cql(QUEUE, values.toArray()))));
    }

    private CompletionStage<Done> noted(Delivery delivery) {
        return delivery.progress().state() == State.PENDING
                ? cassandra.write("queue a message to a webhook", MAY_BE, place(delivery))
                : CompletableFuture.completedStage(Done.getInstance());
    }

    private static Object[] place(Delivery delivery) {
        return new Object[] {
            hour(delivery.progress().queuedAt()),
            delivery.message().run().value(),
            delivery.message().seq()
        };
    }

    private static List<@Nullable Object> columns(Delivery delivery) {
        Message message = delivery.message();
        Progress progress = delivery.progress();
        List<@Nullable Object> columns = new ArrayList<>();
        columns.add(message.tenant().name());
        columns.add(message.event().toString());
        columns.add(message.url());
        columns.add(message.body());
        columns.add(progress.state().name());
        columns.add(progress.attempts());
        columns.add(progress.queuedAt());
        columns.add(progress.nextAt());
        columns.add(progress.triedAt().orElse(null));
        columns.add(progress.answer().orElse(null));
        return columns;
    }

    @Override
    public CompletionStage<Done> update(Delivery delivery) {
        List<@Nullable Object> values = columns(delivery);
        values.add(delivery.message().run().value());
        values.add(delivery.message().seq());
        String what = "note what came of a message to a webhook";
        return noted(delivery)
                .thenCompose(noted -> cassandra.ifSo(what, List.of(new Cql(UPDATE, values.toArray()))))
                .thenCompose(updated -> delivery.progress().state() == State.PENDING
                        ? CompletableFuture.completedStage(Done.getInstance())
                        : cassandra.write(what, IS_NOT, place(delivery)));
    }

    @Override
    public CompletionStage<Optional<Delivery>> find(RunId run, long seq) {
        return cassandra
                .settledRows("look for a message to a webhook", FIND, run.value(), seq)
                .thenApply(rows -> rows.stream().findFirst().map(CassandraWebhooks::delivery));
    }

    @Override
    public CompletionStage<List<Delivery>> of(RunId run) {
        return cassandra
                .settledRows("list the messages to a webhook", SELECT, run.value())
                .thenApply(rows -> rows.stream()
                        .map(CassandraWebhooks::delivery)
                        .sorted(Comparator.comparingLong(
                                delivery -> delivery.message().seq()))
                        .toList());
    }

    @Override
    public CompletionStage<List<Delivery>> pending(Instant queuedSince, int limit) {
        return pending(hour(queuedSince), hour(clock.instant()) + 1, queuedSince, limit, List.of());
    }

    /** Hour by hour, the oldest first. */
    private CompletionStage<List<Delivery>> pending(
            long hour, long last, Instant queuedSince, int limit, List<Delivery> before) {
        if (hour > last || before.size() >= limit) {
            return CompletableFuture.completedStage(before);
        }
        return cassandra
                .rows("list the messages to webhooks that are pending", PENDING, hour)
                .thenCompose(rows -> inParts(
                        rows.subList(0, Math.min(rows.size(), limit - before.size())),
                        row -> pendingOrRemoved(row, queuedSince)))
                .thenCompose(found -> pending(
                        hour + 1,
                        last,
                        queuedSince,
                        limit,
                        Stream.concat(before.stream(), found.stream().flatMap(Optional::stream))
                                .toList()));
    }

    private CompletionStage<Optional<Delivery>> pendingOrRemoved(Row row, Instant queuedSince) {
        RunId run = new RunId(String.valueOf(row.getString("run_id")));
        long seq = row.getLong("seq");
        long hour = row.getLong("hour");
        return find(run, seq).thenCompose(found -> {
            boolean isHere = found.filter(delivery -> delivery.progress().state() == State.PENDING)
                    .filter(delivery -> hour(delivery.progress().queuedAt()) == hour)
                    .isPresent();
            return isHere
                    ? CompletableFuture.completedStage(found.filter(
                            delivery -> !delivery.progress().queuedAt().isBefore(queuedSince)))
                    : cassandra
                            .write("remove what is not pending", IS_NOT, hour, run.value(), seq)
                            .thenApply(removed -> Optional.empty());
        });
    }

    /** Nothing: rows expire by themselves after {@link #KEPT}. */
    @Override
    public CompletionStage<Done> forget(Instant queuedBefore) {
        return CompletableFuture.completedStage(Done.getInstance());
    }

    private interface Asked<T, R> {
        CompletionStage<R> of(T one);
    }

    private static <T, R> CompletionStage<List<R>> inParts(List<T> all, Asked<T, R> asked) {
        CompletionStage<List<R>> results = CompletableFuture.completedStage(List.of());
        for (int from = 0; from < all.size(); from += AT_A_TIME) {
            List<T> part = all.subList(from, Math.min(all.size(), from + AT_A_TIME));
            results = results.thenCompose(
                    before -> Cassandra.all(part.stream().map(asked::of).toList())
                            .thenApply(more -> Stream.concat(before.stream(), more.stream())
                                    .toList()));
        }
        return results;
    }

    private static long hour(Instant time) {
        return time.getEpochSecond() / Duration.ofHours(1).toSeconds();
    }

    private static Delivery delivery(Row row) {
        return new Delivery(
                new Message(
                        new RunId(text(row, "run_id")),
                        row.getLong("seq"),
                        new Tenant(text(row, "tenant")),
                        WebhookEvent.parse(text(row, "event")),
                        text(row, "url"),
                        text(row, "body")),
                new Progress(
                        State.valueOf(text(row, "state")),
                        row.getInt("attempts"),
                        time(row, "queued_at").orElseThrow(CassandraWebhooks::incomplete),
                        time(row, "next_at").orElseThrow(CassandraWebhooks::incomplete),
                        time(row, "tried_at"),
                        Optional.ofNullable(row.getString("answer"))));
    }

    private static String text(Row row, String column) {
        return Optional.ofNullable(row.getString(column)).orElseThrow(CassandraWebhooks::incomplete);
    }

    private static StoreUnavailable incomplete() {
        return new StoreUnavailable("The store has lost a part of a message to a webhook.");
    }

    private static Optional<Instant> time(Row row, String column) {
        return Optional.ofNullable(row.getInstant(column));
    }
}
