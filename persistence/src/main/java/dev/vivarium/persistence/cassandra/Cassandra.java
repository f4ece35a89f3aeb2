package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.stream.connectors.cassandra.DriverConfigLoaderFromConfig;
import org.jspecify.annotations.Nullable;

/**
 * The store's own connection to the cluster, beside the journal plugin's: one session, its prepared statements, and a
 * few threads for work that reads many rows in sequence. Every failure is a {@link StoreUnavailable}.
 *
 * <p>A statement is a text with its values, prepared at its first use. The driver never retries conditional ones: the
 * retry would see what the first try wrote and report it as another writer's.
 */
final class Cassandra implements AutoCloseable {
    private static final int THREADS = 6;
    private static final int WAITING_MAX = 1_000;
    private static final int CLOSE_SECONDS_MAX = 5;

    private final CqlSession session;
    private final ExecutorService threads;
    private final Map<String, CompletionStage<PreparedStatement>> prepared = new ConcurrentHashMap<>();

    private Cassandra(CqlSession session) {
        this.session = session;
        AtomicInteger number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX), task -> {
                    Thread thread = new Thread(task, "vivarium-store-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /** Connects to the keyspace. */
    static Cassandra open(CassandraSettings settings) {
        return new Cassandra(session(settings).withKeyspace(settings.keyspace()).build());
    }

    /** A session for the settings, without a keyspace. */
    static CqlSessionBuilder session(CassandraSettings settings) {
        Config own = ConfigFactory.load(CqlSession.class.getClassLoader()).getConfig(CassandraSettings.DRIVER);
        return CqlSession.builder()
                .withConfigLoader(DriverConfigLoaderFromConfig.fromConfig(
                        settings.driverConfig().withFallback(own)));
    }

    /** A statement's text with its values; a null value is CQL's null. */
    static final class Cql {
        private final String text;
        private final @Nullable Object[] values;

        Cql(String text, @Nullable Object... values) {
            this.text = text;
            this.values = values.clone();
        }
    }

    /**
     * The answer to a conditional statement.
     *
     * @param applied the outcome
     * @param row the conflicting row, if there is one and the statement was not applied
     */
    record Verdict(Outcome applied, Optional<Row> row) {
        enum Outcome {
            APPLIED,
            REFUSED
        }

        boolean isApplied() {
            return applied == Outcome.APPLIED;
        }
    }

    /**
     * Executes a write.
     *
     * @param what completes the sentence "The store cannot ...", for the error
     */
    CompletionStage<Done> write(String what, String text, @Nullable Object... values) {
        return describingFailures(
                what,
                bound(new Cql(text, values))
                        .thenCompose(statement -> session.executeAsync(statement.setIdempotent(true)))
                        .thenApply(written -> Done.getInstance()));
    }

    /** All rows of a query with few rows. */
    CompletionStage<List<Row>> rows(String what, String text, @Nullable Object... values) {
        return describingFailures(
                what,
                bound(new Cql(text, values))
                        .thenCompose(statement -> session.executeAsync(statement.setIdempotent(true)))
                        .thenCompose(first -> gather(first, new ArrayList<>())));
    }

    /**
     * As {@link #rows}, but read serially, after pending transactions are settled: the rows that the next condition
     * will be compared with.
     */
    CompletionStage<List<Row>> settledRows(String what, String text, @Nullable Object... values) {
        return describingFailures(
                what,
                bound(new Cql(text, values))
                        .thenCompose(statement -> session.executeAsync(statement
                                .setIdempotent(true)
                                .setConsistencyLevel(DefaultConsistencyLevel.LOCAL_SERIAL)))
                        .thenCompose(first -> gather(first, new ArrayList<>())));
    }

    /** One page of rows, and whether more follow; for readers that stop early. */
    CompletionStage<AsyncResultSet> page(String what, int rows, String text, @Nullable Object... values) {
        return describingFailures(
                what,
                bound(new Cql(text, values))
                        .thenCompose(statement -> session.executeAsync(
                                statement.setIdempotent(true).setPageSize(rows))));
    }

    /**
     * Executes a conditional batch: everything if all conditions hold, or nothing; all statements must be in one
     * partition.
     */
    CompletionStage<Verdict> ifSo(String what, List<Cql> statements) {
        return describingFailures(
                what,
                all(statements.stream().map(this::bound).toList())
                        .thenCompose(bound -> session.executeAsync(atomic(bound)))
                        .thenApply(Cassandra::verdict));
    }

    /** Executes statements on several partitions: once it completes, all of them hold, or will after a failure of nodes. */
    CompletionStage<Done> logged(String what, List<Cql> statements) {
        return describingFailures(
                what,
                all(statements.stream().map(this::bound).toList())
                        .thenCompose(bound -> session.executeAsync(
                                BatchStatement.newInstance(DefaultBatchType.LOGGED, List.copyOf(bound))
                                        .setIdempotent(true)))
                        .thenApply(written -> Done.getInstance()));
    }

    /** In this order, since reading the row consumes it. */
    private static Verdict verdict(AsyncResultSet answer) {
        return answer.wasApplied()
                ? new Verdict(Verdict.Outcome.APPLIED, Optional.empty())
                : new Verdict(Verdict.Outcome.REFUSED, Optional.ofNullable(answer.one()));
    }

    private static Statement<?> atomic(List<BoundStatement> statements) {
        return statements.size() == 1
                ? statements.get(0).setIdempotent(false)
                : BatchStatement.newInstance(DefaultBatchType.UNLOGGED, List.copyOf(statements))
                        .setIdempotent(false);
    }

    private static CompletionStage<List<Row>> gather(AsyncResultSet page, List<Row> rows) {
        page.currentPage().forEach(rows::add);
        return page.hasMorePages()
                ? page.fetchNextPage().thenCompose(next -> gather(next, rows))
                : CompletableFuture.completedFuture(rows);
    }

    private CompletionStage<BoundStatement> bound(Cql cql) {
        return preparation(cql.text).thenApply(statement -> statement.bind(cql.values));
    }

    private CompletionStage<PreparedStatement> preparation(String text) {
        CompletionStage<PreparedStatement> known = prepared.get(text);
        if (known != null) {
            return known;
        }
        CompletionStage<PreparedStatement> asked = session.prepareAsync(text);
        prepared.put(text, asked);
        asked.whenComplete((statement, failed) -> {
            if (failed != null) {
                prepared.remove(text, asked);
            }
        });
        return asked;
    }

    /** All results in order; fails when one fails, after all have ended. */
    static <T> CompletionStage<List<T>> all(List<? extends CompletionStage<T>> stages) {
        List<CompletableFuture<T>> futures =
                stages.stream().map(CompletionStage::toCompletableFuture).toList();
        return CompletableFuture.allOf(futures.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
    }

    private static <T> CompletionStage<T> describingFailures(String what, CompletionStage<T> stage) {
        return stage.exceptionallyCompose(failed -> CompletableFuture.failedFuture(unavailable(what, failed)));
    }

    private static RuntimeException unavailable(String what, Throwable failed) {
        Throwable cause = StageFailure.cause(failed);
        return new StoreUnavailable("The store cannot " + what + ": " + reason(cause), cause);
    }

    /** The driver's message lists the errors of every node; the first line is enough. */
    private static String reason(Throwable cause) {
        String message = String.valueOf(cause.getMessage());
        return cause instanceof DriverException ? message.lines().findFirst().orElse(message) : cause.toString();
    }

    /**
     * Runs blocking work on one of the store's threads; beyond the queue's limit it fails immediately.
     *
     * @param what completes the sentence "The store cannot ...", for the error
     */
    <T> CompletionStage<T> work(String what, Supplier<T> work) {
        try {
            return CompletableFuture.supplyAsync(work, threads);
        } catch (RejectedExecutionException overloaded) {
            return CompletableFuture.failedFuture(new StoreUnavailable(
                    "The store cannot " + what + ": too many operations are waiting.", overloaded));
        }
    }

    /** The result, on a thread that may block; rethrows failures unchanged. */
    static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw failed;
        }
    }

    @Override
    public void close() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
                threads.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
        session.close();
    }
}
