package dev.vivarium.persistence.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Makes the connections of a pool, and while the server is away tries until it is back. A pool by itself tries less and less
 * often, up to each 10 s: then a server that is back would have nobody connected for as long, and what waits for a connection
 * would be told that it is away. Refusals that do not pass by themselves, as of a password, are reported immediately.
 */
final class AwaitedServer extends PGSimpleDataSource implements AutoCloseable {
    private static final long serialVersionUID = 1;

    private static final Duration BETWEEN_TRIES = Duration.ofMillis(200);

    private final transient CountDownLatch closed = new CountDownLatch(1);
    private transient volatile Optional<SQLException> away = Optional.empty();

    /** Why there is no connection at the moment; empty while the server answers. */
    Optional<SQLException> away() {
        return away;
    }

    /** Returns when there is a connection; fails when this is closed. */
    @Override
    public Connection getConnection() throws SQLException {
        while (true) {
            try {
                Connection connection = super.getConnection();
                away = Optional.empty();
                return connection;
            } catch (SQLException failed) {
                away = Optional.of(failed);
                if (!ServerWait.passes(failed) || isClosedBeforeNextTry()) {
                    throw failed;
                }
            }
        }
    }

    private boolean isClosedBeforeNextTry() {
        try {
            return closed.await(BETWEEN_TRIES.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Ends the tries. */
    @Override
    public void close() {
        closed.countDown();
    }
}
