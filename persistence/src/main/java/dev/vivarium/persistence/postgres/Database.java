package dev.vivarium.persistence.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.MonotonicClock;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The store's own connections to the database, beside the journal plugin's: a few connections and as many threads,
 * since JDBC blocks. Work beyond the queue's limit fails immediately rather than wait until its caller has given up. While
 * the database is away, work waits for a connection once, however much was there before it: at most twice {@link
 * #CONNECTION_WAIT}.
 */
final class Database implements AutoCloseable {
    /** Connections and threads; the projection, the key sweep and the sequencer have three more connections. */
    private static final int CONNECTIONS = 6;

    private static final int WAITING_MAX = 1000;

    /** Long enough for a server's restart after a crash. */
    private static final Duration CONNECTION_WAIT = Duration.ofSeconds(5);

    private static final int STATEMENT_MILLIS_MAX = 30_000;

    private static final int CLOSE_SECONDS_MAX = 5;

    private final AwaitedServer server;
    private final HikariDataSource connections;
    private final ExecutorService threads;
    private final Duration connectionWait;
    private final Clock clock = MonotonicClock.system();
    /** The last wait that was in vain, until there is a connection again. */
    private volatile Optional<InVain> inVain = Optional.empty();

    private record InVain(Instant at, SQLException why) {}

    /** Work on a connection. */
    interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    Database(PostgresAddress address) {
        this(address, CONNECTION_WAIT);
    }

    /** @param connectionWait how long work waits for a connection; at least 250 ms */
    Database(PostgresAddress address, Duration connectionWait) {
        this.connectionWait = connectionWait;
        this.server = server(address);
        this.connections = pool(server, connectionWait);
        AtomicInteger number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                CONNECTIONS, CONNECTIONS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX), task -> {
                    Thread thread = new Thread(task, "vivarium-store-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    private static AwaitedServer server(PostgresAddress address) {
        AwaitedServer server = new AwaitedServer();
        server.setURL(address.url());
        server.setUser(address.user());
        server.setPassword(address.password());
        server.setReWriteBatchedInserts(true);
        server.setOptions("-c statement_timeout=" + STATEMENT_MILLIS_MAX);
        server.setApplicationName("vivarium-store");
        return server;
    }

    private static HikariDataSource pool(AwaitedServer server, Duration connectionWait) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("vivarium-store");
        config.setDataSource(server);
        config.setMaximumPoolSize(CONNECTIONS + 3);
        config.setMinimumIdle(2);
        config.setConnectionTimeout(connectionWait.toMillis());
        // Otherwise the pool's start waits for the first connection; the first statement gives a better error.
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    /** The threads for the store's blocking work. */
    ExecutorService threads() {
        return threads;
    }

    /**
     * Runs the work in a transaction, on one of the store's threads.
     *
     * @param what completes the sentence "The store cannot ...", for the error
     */
    <T> CompletionStage<T> transact(String what, Work<T> work) {
        return onThread(what, () -> transactNow(what, work));
    }

    /**
     * Runs a single statement that reads, on one of the store's threads; without a transaction around it, which would be two
     * more round trips.
     *
     * @param what completes the sentence "The store cannot ...", for the error
     */
    <T> CompletionStage<T> query(String what, Work<T> statement) {
        return atOnce(what, statement);
    }

    /**
     * Runs what goes to the server at once, and is a transaction of its own by that, on one of the store's threads.
     *
     * @param what completes the sentence "The store cannot ...", for the error
     */
    <T> CompletionStage<T> atOnce(String what, Work<T> statement) {
        return onThread(what, () -> {
            try (Connection connection = connect()) {
                return statement.on(connection);
            } catch (SQLException failed) {
                throw unavailable(what, failed);
            }
        });
    }

    /**
     * Runs work that makes transactions of its own, on one of the store's threads.
     *
     * @param what completes the sentence "The store cannot ...", for the error
     */
    <T> CompletionStage<T> work(String what, Supplier<T> work) {
        return onThread(what, work);
    }

    private <T> CompletionStage<T> onThread(String what, Supplier<T> work) {
        Instant asked = clock.instant();
        try {
            return CompletableFuture.supplyAsync(
                    () -> {
                        refuseIfWaitedInVain(what, asked);
                        return work.get();
                    },
                    threads);
        } catch (RejectedExecutionException overloaded) {
            return CompletableFuture.failedFuture(new StoreUnavailable(
                    "The store cannot " + what + ": too many operations are waiting.", overloaded));
        }
    }

    /** Work that has waited in the queue for as long as for a connection, of which there was none, need not wait again. */
    private void refuseIfWaitedInVain(String what, Instant asked) {
        Optional<InVain> since = inVain.filter(last -> !last.at().isBefore(asked.plus(connectionWait)));
        if (since.isPresent()) {
            throw unavailable(what, since.get().why());
        }
    }

    /** A connection; fails when there is none for as long as work waits for one. */
    Connection connect() throws SQLException {
        try {
            Connection connection = connections.getConnection();
            inVain = Optional.empty();
            return connection;
        } catch (SQLTransientConnectionException none) {
            SQLException why = server.away().map(this::noConnection).orElse(none);
            inVain = Optional.of(new InVain(clock.instant(), why));
            throw why;
        }
    }

    private SQLException noConnection(SQLException away) {
        Throwable reason = Optional.ofNullable(away.getCause()).orElse(away);
        return new SQLTransientConnectionException(
                "There was no connection to the PostgreSQL server for " + connectionWait.toMillis()
                        + " ms. The last attempt failed: " + reason.getMessage(),
                away.getSQLState(),
                away);
    }

    /** Runs the work in a transaction, on the calling thread. */
    <T> T transactNow(String what, Work<T> work) {
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            try {
                T result = work.on(connection);
                connection.commit();
                return result;
            } catch (SQLException | RuntimeException failed) {
                rollback(connection, failed);
                throw failed;
            }
        } catch (SQLException failed) {
            throw unavailable(what, failed);
        }
    }

    static StoreUnavailable unavailable(String what, SQLException failed) {
        return new StoreUnavailable("The store cannot " + what + ": " + failed.getMessage(), failed);
    }

    private static void rollback(Connection connection, Exception failed) {
        try {
            connection.rollback();
        } catch (SQLException alsoFailed) {
            failed.addSuppressed(alsoFailed);
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
        server.close();
        connections.close();
    }
}
