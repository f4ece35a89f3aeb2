package dev.vivarium.persistence.postgres;

import com.typesafe.config.Config;
import dev.vivarium.persistence.Store;
import dev.vivarium.persistence.audit.RunIndex;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.output.OutputStore;
import dev.vivarium.persistence.secrets.FileSecretVault;
import dev.vivarium.persistence.secrets.SecretVault;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;

/** The store on a PostgreSQL, wherever it runs, with the keys of secrets in a directory beside it. */
public final class PostgresStore implements Store, AutoCloseable {
    private final PostgresAddress address;
    private final Database database;
    private final PostgresJournal journal;
    private final PostgresOutput output;
    private final PostgresRunIndex runs;
    private final RunProjection projection;
    private final FileSecretVault secrets;
    private final KeySweep keySweep;

    private PostgresStore(PostgresAddress address, Database database, Path keysParent) {
        this.address = address;
        this.database = database;
        this.journal = new PostgresJournal(database, EventCodec.standard());
        this.output = new PostgresOutput(database);
        this.runs = new PostgresRunIndex(database);
        this.projection = new RunProjection(database, journal);
        this.secrets = FileSecretVault.in(keysParent, database.threads());
        this.keySweep = new KeySweep(secrets, database, journal, Clock.systemUTC());
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
            store.keySweep.start();
            return store;
        } catch (RuntimeException failed) {
            database.close();
            throw failed;
        }
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
        keySweep.close();
        projection.close();
        database.close();
    }
}
