package dev.vivarium.persistence.postgres;

import com.typesafe.config.Config;
import dev.vivarium.persistence.Store;
import dev.vivarium.persistence.audit.RunIndex;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.output.OutputStore;
import dev.vivarium.persistence.secrets.FileSecretVault;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The store on a PostgreSQL, wherever it runs, with the keys of secrets in a directory beside it. */
public final class PostgresStore implements Store, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PostgresStore.class);

    private final PostgresAddress address;
    private final Database database;
    private final PostgresJournal journal;
    private final PostgresOutput output;
    private final PostgresRunIndex runs;
    private final RunProjection projection;
    private final FileSecretVault secrets;

    private PostgresStore(PostgresAddress address, Database database, Path keysParent) {
        this.address = address;
        this.database = database;
        this.journal = new PostgresJournal(database, EventCodec.standard());
        this.output = new PostgresOutput(database);
        this.runs = new PostgresRunIndex(database);
        this.projection = new RunProjection(database, journal);
        this.secrets = FileSecretVault.in(keysParent, database.threads());
    }

    /**
     * Opens the store, making or updating its tables first.
     *
     * @param address the database, which must be ours alone
     * @param keysParent the directory in which the vault keeps its keys
     * @throws dev.vivarium.persistence.journal.StoreUnavailable with a sentence for the user when it cannot be opened
     */
    public static PostgresStore open(PostgresAddress address, Path keysParent) {
        Database database = new Database(address);
        try {
            migrate(database);
            PostgresStore store = new PostgresStore(address, database, keysParent);
            store.projection.start();
            store.shredForgottenKeys();
            return store;
        } catch (RuntimeException failed) {
            database.close();
            throw failed;
        }
    }

    /**
     * A node that dies between a run's end and the destruction of its key leaves the key; one that dies between making a
     * key and journaling the run leaves a key of no run. The list is taken before anybody can submit, so a key of no run
     * is nobody's.
     */
    private void shredForgottenKeys() {
        Set<RunId> found = secrets.runsWithKeys();
        database.threads().execute(() -> {
            for (RunId run : found) {
                try {
                    RunState state = database.transactNow(
                            "read the events of run " + run,
                            connection -> PostgresJournal.fold(journal.recorded(connection, run, 1)));
                    if (!(state instanceof RunState.Live)) {
                        secrets.shredNow(run);
                    }
                } catch (RuntimeException failed) {
                    log.warn("The key of run {} could not be looked at; the next start tries again", run, failed);
                }
            }
        });
    }

    private static void migrate(Database database) {
        try (Connection connection = database.connections().getConnection()) {
            Schema.migrate(connection);
        } catch (SQLException failed) {
            throw Database.unavailable("be opened", failed);
        }
    }

    /** What the actor system's configuration must say so that its journal is this store's; goes above everything else. */
    public Config journalConfig() {
        return JournalPlugin.overlay(address);
    }

    @Override
    public PostgresJournal journal() {
        return journal;
    }

    @Override
    public OutputStore output() {
        return output;
    }

    @Override
    public RunIndex runs() {
        return runs;
    }

    @Override
    public SecretVault secrets() {
        return secrets;
    }

    /** How old the answers of {@link #runs} may be; about a tenth of a second while all is well. */
    public Duration projectionLag() {
        return projection.lag();
    }

    @Override
    public void close() {
        projection.close();
        database.close();
    }
}
