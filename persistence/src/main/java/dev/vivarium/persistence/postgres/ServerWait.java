package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first connection to an external server. A server that is down or still starting is retried, with a log line each
 * time; a refusal is final.
 */
final class ServerWait {
    private static final Logger log = LoggerFactory.getLogger(ServerWait.class);

    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final String CONNECT_SECONDS_MAX = "5";

    /**
     * SQL states of temporary conditions: no connection (class 08), too many connections, server starting or stopping.
     */
    private static final String NO_CONNECTION = "08";

    private static final String TOO_MANY = "53300";
    private static final String NOT_NOW = "57P03";

    private ServerWait() {}

    /**
     * Runs the work on a new connection as soon as there is one.
     *
     * @throws StoreUnavailable with a sentence for the operator
     */
    static <T> T on(PostgresSettings settings, Clock clock, Database.Work<T> work) {
        Instant deadline = clock.instant().plus(settings.startWait());
        while (true) {
            try (Connection connection = connect(settings.address())) {
                return work.on(connection);
            } catch (SQLException failed) {
                if (!passes(failed) || !clock.instant().isBefore(deadline)) {
                    throw new StoreUnavailable(
                            "The PostgreSQL server at " + settings.address().url() + " cannot be used as "
                                    + settings.address().user() + ": " + oneLine(failed)
                                    + " See vivarium.store.postgres in the configuration.",
                            failed);
                }
                log.warn(
                        "Waiting for the PostgreSQL server at {}: {}",
                        settings.address().url(),
                        oneLine(failed));
                pause();
            }
        }
    }

    private static Connection connect(PostgresAddress address) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", address.user());
        properties.setProperty("password", address.password());
        properties.setProperty("connectTimeout", CONNECT_SECONDS_MAX);
        properties.setProperty("ApplicationName", "vivarium-start");
        return DriverManager.getConnection(address.url(), properties);
    }

    /** Whether it is a matter of time that the server is used: it is away, starting or full. */
    static boolean passes(SQLException failed) {
        String state = String.valueOf(failed.getSQLState());
        return state.startsWith(NO_CONNECTION) || state.equals(TOO_MANY) || state.equals(NOT_NOW);
    }

    private static String oneLine(SQLException failed) {
        String text =
                String.valueOf(failed.getMessage()).replaceAll("\\s+", " ").strip();
        return text.endsWith(".") ? text : text + ".";
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new StoreUnavailable("Interrupted while waiting for the PostgreSQL server.", interrupted);
        }
    }
}
