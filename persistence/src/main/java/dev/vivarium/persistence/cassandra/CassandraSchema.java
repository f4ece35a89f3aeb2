package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.auth.AuthenticationException;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.servererrors.QueryExecutionException;
import com.datastax.oss.driver.api.core.servererrors.QueryValidationException;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keyspace and its tables: created and changed by an explicit step, from numbered scripts that never change after
 * their release, and required by everything else. Cassandra has no transactions around schema changes, so each
 * statement can be repeated, and the row with the version is written last: a keyspace without it is not prepared.
 */
final class CassandraSchema {
    private static final Logger log = LoggerFactory.getLogger(CassandraSchema.class);

    /** The newest script's number. */
    static final int VERSION = 14;

    private static final Duration RETRY = Duration.ofSeconds(2);
    private static final Duration STATEMENT_MAX = Duration.ofSeconds(30);
    private static final String PREPARE = " Run `vivarium store prepare` with this configuration";

    private static final String META = "vivarium_installation";
    private static final String NAME = "INSERT INTO " + META + " (id, version, installation, master_key)"
            + " VALUES ('vivarium', ?, ?, ?) IF NOT EXISTS";
    private static final String UPDATE =
            "UPDATE " + META + " SET version = ?, master_key = ? WHERE id = 'vivarium' IF master_key = ?";

    private static final Pattern TABLE_WITHOUT_KEYSPACE =
            Pattern.compile("(CREATE TABLE IF NOT EXISTS|ALTER TABLE) (\\w++)(?!\\.)");

    private CassandraSchema() {}

    /** The keyspace's own record. */
    private record Found(int version, String installation, String masterKey) {}

    /**
     * Returns the installation's name, if the keyspace has this version's schema.
     *
     * @throws StoreUnavailable with a sentence that says what to do when it has none or another one, or when the
     *     cluster does not answer within the settings' wait
     */
    static String require(CassandraSettings settings, MasterKeys masters, Clock clock) {
        return connected(settings, clock, session -> {
            Found found = tables(session, settings);
            if (masters.named(found.masterKey()).isEmpty()) {
                throw new StoreUnavailable("The master key " + settings.masterKey() + " is not the one of this"
                        + " installation (" + found.masterKey() + "): copy the file from a node that works.");
            }
            return found.installation();
        });
    }

    /**
     * Checks that the keyspace has this version's schema, for those who read without the keys of secrets.
     *
     * @throws StoreUnavailable as {@link #require}
     */
    static void requireTables(CassandraSettings settings, Clock clock) {
        connected(settings, clock, session -> tables(session, settings));
    }

    private static Found tables(CqlSession session, CassandraSettings settings) {
        Found found = find(session, settings)
                .orElseThrow(() -> new StoreUnavailable("The keyspace " + settings.keyspace() + " at "
                        + settings.where() + " is not prepared." + PREPARE + " first."));
        refuseNewer(settings, found);
        if (found.version() < VERSION) {
            throw new StoreUnavailable("The keyspace " + settings.keyspace() + " has schema " + found.version()
                    + ", and this version of Vivarium needs " + VERSION + "." + PREPARE
                    + " to update it, once all nodes of the older version are stopped.");
        }
        return found;
    }

    /**
     * Creates whatever is missing.
     *
     * @return the schema's version
     */
    static int create(CassandraSettings settings, String installation, Clock clock) {
        return connected(settings, clock, session -> {
            Optional<Found> found = find(session, settings);
            found.ifPresent(existing -> refuseNewer(settings, existing));
            MasterKeys masters = masterKeys(settings, found);
            if (found.isEmpty()) {
                makeKeyspace(session, settings);
            }
            for (int next = found.map(Found::version).orElse(0) + 1; next <= VERSION; next++) {
                script(next).forEach(statement -> run(session, settings, statement));
            }
            // Last, and only if no other preparation was faster: concurrent preparations give one installation.
            boolean said = session.execute(
                            found.isEmpty()
                                    ? statement(
                                            settings,
                                            NAME,
                                            VERSION,
                                            installation,
                                            masters.current().name())
                                    : statement(
                                            settings,
                                            UPDATE,
                                            VERSION,
                                            masters.current().name(),
                                            found.get().masterKey()))
                    .wasApplied();
            if (!said) {
                throw new StoreUnavailable("Another process has prepared the keyspace " + settings.keyspace()
                        + " at the same time." + PREPARE + " once more.");
            }
            return VERSION;
        });
    }

    private static void refuseNewer(CassandraSettings settings, Found found) {
        if (found.version() > VERSION) {
            throw new StoreUnavailable("The keyspace " + settings.keyspace() + " has schema " + found.version()
                    + " and this version of Vivarium knows " + VERSION + ": use the newer version that created it.");
        }
    }

    private static MasterKeys masterKeys(CassandraSettings settings, Optional<Found> found) {
        if (Files.exists(settings.masterKey())) {
            MasterKeys masters = MasterKeys.read(settings.masterKey());
            if (found.isPresent() && masters.named(found.get().masterKey()).isEmpty()) {
                throw new StoreUnavailable("The master key " + settings.masterKey() + " is not the one of this"
                        + " installation (" + found.get().masterKey() + "): copy the file from a node that works. To"
                        + " replace the key, put a new line first in that file and keep the old one after it.");
            }
            return masters;
        }
        if (found.isPresent()) {
            throw new StoreUnavailable("There is no master key " + settings.masterKey() + ", and the installation has"
                    + " one (" + found.get().masterKey() + "): copy the file from a node that works.");
        }
        return MasterKeys.make(settings.masterKey());
    }

    private static void makeKeyspace(CqlSession session, CassandraSettings settings) {
        // An existing keyspace is used as it is, so that Vivarium's role does not need the right to create one.
        boolean exists = session.execute(SimpleStatement.newInstance(
                                "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?",
                                settings.keyspace()))
                        .one()
                != null;
        if (!exists) {
            if (settings.replication().factor() < 1) {
                throw new StoreUnavailable("vivarium.store.cassandra.replication.factor must say how often each row is"
                        + " stored: 3 in production, so that one replica may be down.");
            }
            String replication = settings.replication().cql(settings.datacenter());
            run(session, settings, "CREATE KEYSPACE " + settings.keyspace() + " WITH replication = " + replication);
        }
        run(
                session,
                settings,
                "CREATE TABLE IF NOT EXISTS " + settings.keyspace() + "." + META + " (id text PRIMARY KEY, version int,"
                        + " installation text, master_key text)");
    }

    private static void run(CqlSession session, CassandraSettings settings, String cql) {
        String qualified = TABLE_WITHOUT_KEYSPACE.matcher(cql).replaceFirst("$1 " + settings.keyspace() + ".$2");
        session.execute(SimpleStatement.newInstance(qualified).setTimeout(STATEMENT_MAX));
        session.checkSchemaAgreement();
    }

    private static SimpleStatement statement(CassandraSettings settings, String cql, Object... values) {
        return SimpleStatement.newInstance(cql.replace(META, settings.keyspace() + "." + META), values)
                .setTimeout(STATEMENT_MAX);
    }

    /** Empty when there is no keyspace or its preparation is incomplete. */
    private static Optional<Found> find(CqlSession session, CassandraSettings settings) {
        boolean table = session.execute(SimpleStatement.newInstance(
                                "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
                                settings.keyspace(),
                                META))
                        .one()
                != null;
        Row row = table
                ? session.execute(statement(
                                settings,
                                "SELECT version, installation, master_key FROM " + META + " WHERE id = 'vivarium'"))
                        .one()
                : null;
        return Optional.ofNullable(row)
                .map(said -> new Found(
                        said.getInt(0), String.valueOf(said.getString(1)), String.valueOf(said.getString(2))));
    }

    private static List<String> script(int version) {
        String name = "schema-" + version + ".cql";
        try (InputStream script = CassandraSchema.class.getResourceAsStream(name)) {
            if (script == null) {
                throw new IllegalStateException(name + " is missing from the build.");
            }
            String text = new String(script.readAllBytes(), StandardCharsets.UTF_8);
            List<String> statements = new ArrayList<>();
            for (String statement : text.split("(?m)^---$", -1)) {
                statements.add(statement.strip());
            }
            return statements;
        } catch (IOException unreadable) {
            throw new IllegalStateException(name + " cannot be read.", unreadable);
        }
    }

    /** Runs work with a session, retrying up to the settings' wait while the cluster does not answer. */
    private static <T> T connected(CassandraSettings settings, Clock clock, Function<CqlSession, T> work) {
        Instant deadline = clock.instant().plus(settings.startWait());
        while (true) {
            try (CqlSession session = Cassandra.session(settings).build()) {
                return work.apply(session);
            } catch (QueryValidationException refused) {
                throw new StoreUnavailable(
                        "Cassandra at " + settings.where() + " refuses: " + refused.getMessage(), refused);
            } catch (DriverException failed) {
                refuseWhatNoWaitChanges(settings, failed);
                if (clock.instant().plus(RETRY).isAfter(deadline)) {
                    throw unreachable(settings, failed);
                }
                log.warn("Cassandra at {} does not answer ({}); retrying.", settings.where(), why(failed));
                pause();
            } catch (IllegalArgumentException | IllegalStateException unusable) {
                throw new StoreUnavailable(
                        "Cassandra cannot be used with vivarium.store.cassandra as it is: " + unusable.getMessage(),
                        unusable);
            }
        }
    }

    private static StoreUnavailable unreachable(CassandraSettings settings, DriverException failed) {
        return new StoreUnavailable(
                "Cassandra at " + settings.where() + " does not answer (" + why(failed)
                        + "): is it running, and are vivarium.store.cassandra.contact-points and datacenter right?",
                failed);
    }

    /** A wrong password, or a datacenter without nodes. */
    private static void refuseWhatNoWaitChanges(CassandraSettings settings, DriverException failed) {
        if (failed instanceof AllNodesFailedException all) {
            all.getAllErrors().values().stream()
                    .flatMap(List::stream)
                    .filter(error -> error instanceof AuthenticationException)
                    .findFirst()
                    .ifPresent(refused -> {
                        throw new StoreUnavailable(
                                "Cassandra at " + settings.where() + " refuses this user: check"
                                        + " vivarium.store.cassandra.user and password-file.",
                                refused);
                    });
        }
    }

    private static String why(DriverException failed) {
        if (failed instanceof QueryExecutionException) {
            return String.valueOf(failed.getMessage());
        }
        return String.valueOf(failed.getMessage()).lines().findFirst().orElse("no reason given");
    }

    private static void pause() {
        try {
            Thread.sleep(RETRY.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new StoreUnavailable("Interrupted while waiting for Cassandra.", interrupted);
        }
    }
}
