package dev.vivarium.persistence.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * Our own way to the database, beside the journal plugin's: a few connections and as many threads, since JDBC blocks.
 * Beyond the queue's limit work is refused at once, which is better than a queue that nobody waits for any more.
 */
final class Database implements AutoCloseable {
    /** Connections, and threads; two more connections are the projection's and the key sweep's. */
    private static final int CONNECTIONS = 6;

    private static final int WAITING_MAX = 1000;

    /** Long enough for a server that is started again after a crash. */
    private static final long CONNECTION_WAIT_MILLIS = 5_000;

    private static final int STATEMENT_MILLIS_MAX = 30_000;

    private static final int CLOSE_SECONDS_MAX = 5;

    private final HikariDataSource connections;
    private final ExecutorService threads;

    /** What is done with a connection. */
    interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    Database(PostgresAddress address) {
        this.connections = pool(address);
        AtomicInteger number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                CONNECTIONS, CONNECTIONS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX), task -> {
                    Thread thread = new Thread(task, "vivarium-store-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    private static HikariDataSource pool(PostgresAddress address) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("vivarium-store");
        config.setJdbcUrl(address.url());
        config.setUsername(address.user());
        config.setPassword(address.password());
        config.setMaximumPoolSize(CONNECTIONS + 2);
        config.setMinimumIdle(2);
        config.setConnectionTimeout(CONNECTION_WAIT_MILLIS);
        // Without it a start waits for the first connection and fails hard; the first statement says it better.
        config.setInitializationFailTimeout(-1);
        config.addDataSourceProperty("reWriteBatchedInserts", "true");
        config.addDataSourceProperty("options", "-c statement_timeout=" + STATEMENT_MILLIS_MAX);
        config.addDataSourceProperty("ApplicationName", "vivarium-store");
        return new HikariDataSource(config);
    }

    /** For those who bring a thread of their own. */
    DataSource connections() {
        return connections;
    }

    /** The threads on which blocking work of the store is done. */
    ExecutorService threads() {
        return threads;
    }

    /**
     * Does the work in a transaction of its own, on one of our threads.
     *
     * @param what completes the sentence "The store cannot ...", for the error
     */
    <T> CompletionStage<T> transact(String what, Work<T> work) {
        try {
            return CompletableFuture.supplyAsync(() -> transactNow(what, work), threads);
        } catch (RejectedExecutionException overloaded) {
            return CompletableFuture.failedFuture(
                    new StoreUnavailable("The store cannot " + what + ": it has too much to do.", overloaded));
        }
    }

    /** Does the work in a transaction of its own, on this thread. */
    <T> T transactNow(String what, Work<T> work) {
        try (Connection connection = connections.getConnection()) {
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
        connections.close();
    }
}
