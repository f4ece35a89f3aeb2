package dev.vivarium.node.assembly;

import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.persistence.audit.StoredLog;
import dev.vivarium.persistence.cassandra.CassandraSettings;
import dev.vivarium.persistence.cassandra.CassandraStore;
import dev.vivarium.persistence.content.BlobSweepSettings;
import dev.vivarium.persistence.embedded.EmbeddedStore;
import dev.vivarium.persistence.postgres.PostgresBackup;
import dev.vivarium.persistence.postgres.PostgresSettings;
import dev.vivarium.persistence.postgres.PostgresStore;
import dev.vivarium.persistence.store.Backup;
import dev.vivarium.persistence.store.Store;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Opens a node's store as configured by {@code vivarium.store}. */
public final class NodeStore {
    private static final String CASSANDRA_COPIES =
            "A Cassandra is copied by its own snapshots, each node's by nodetool:"
                    + " docs/backup.md says how, and what to do before nodes use the copy.";

    private NodeStore() {}

    /** The values of {@code vivarium.store.kind}. */
    private enum Kind {
        EMBEDDED,
        POSTGRES,
        CASSANDRA;

        static Kind of(Config store) throws NodeStartException {
            String given = store.getString("kind");
            for (Kind kind : values()) {
                if (kind.word().equals(given)) {
                    return kind;
                }
            }
            throw new NodeStartException("vivarium.store.kind is \"" + given + "\" and must be one of "
                    + Arrays.stream(values()).map(Kind::word).collect(Collectors.joining(", ")) + ".");
        }

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Opens the store; blocks. Failures are sentences for the operator. */
    public static Store open(Config store, Path dataDir) throws NodeStartException {
        Kind kind = Kind.of(store);
        return orRefuse(() -> switch (kind) {
            case EMBEDDED -> EmbeddedStore.open(dataDir, blobs(store));
            case POSTGRES -> PostgresStore.openShared(PostgresSettings.from(store.getConfig("postgres")), blobs(store));
            case CASSANDRA -> CassandraStore.open(CassandraSettings.from(store.getConfig("cassandra")), blobs(store));
        });
    }

    /** Opens the log of events in a store, for reading; blocks. Failures are sentences for the operator. */
    static StoredLog log(Config store, Path dataDir) throws NodeStartException {
        Kind kind = Kind.of(store);
        return orRefuse(() -> switch (kind) {
            case EMBEDDED -> EmbeddedStore.log(dataDir);
            case POSTGRES -> PostgresStore.log(PostgresSettings.from(store.getConfig("postgres")));
            case CASSANDRA -> CassandraStore.log(CassandraSettings.from(store.getConfig("cassandra")));
        });
    }

    /** Copies the tables of a store into a new file; blocks. Failures are sentences for the operator. */
    static Backup backup(Config store, Path dataDir, Path file) throws NodeStartException {
        Kind kind = Kind.of(store);
        return orRefuse(() -> switch (kind) {
            case EMBEDDED -> EmbeddedStore.backup(dataDir, file, Clock.systemUTC());
            case POSTGRES -> PostgresBackup.write(
                    PostgresSettings.from(store.getConfig("postgres")).address(), file, Clock.systemUTC());
            case CASSANDRA -> throw new IllegalStateException(CASSANDRA_COPIES);
        });
    }

    /** Makes a store from such a file; blocks. Failures are sentences for the operator. */
    static Backup restore(Config store, Path dataDir, Path file, PostgresBackup.Original original)
            throws NodeStartException {
        Kind kind = Kind.of(store);
        return orRefuse(() -> switch (kind) {
            case EMBEDDED -> EmbeddedStore.restore(dataDir, file, original);
            case POSTGRES -> PostgresBackup.restore(
                    PostgresSettings.from(store.getConfig("postgres")).address(), file, original);
            case CASSANDRA -> throw new IllegalStateException(CASSANDRA_COPIES);
        });
    }

    /** The folder of the keys of secrets, beside a store's tables. */
    static Path keys(Config store, Path dataDir) throws NodeStartException {
        return Kind.of(store) == Kind.EMBEDDED ? dataDir : Path.of(store.getString("postgres.keys"));
    }

    private static BlobSweepSettings blobs(Config store) {
        return BlobSweepSettings.from(store.getConfig("blobs"));
    }

    /**
     * Creates or updates the schema of a shared store.
     *
     * @return what was done, as a sentence
     */
    static String prepare(Config store) throws NodeStartException {
        Kind kind = Kind.of(store);
        return orRefuse(() -> switch (kind) {
            case EMBEDDED -> "The embedded store needs no preparation: each node creates its own at its first start.";
            case POSTGRES -> {
                PostgresSettings settings = PostgresSettings.from(store.getConfig("postgres"));
                int schema =
                        PostgresStore.prepare(settings, UlidCreator.getUlid().toLowerCase());
                yield "The database at " + settings.address().url() + " has schema " + schema
                        + ", and the keys of secrets are kept in " + settings.keys() + ".";
            }
            case CASSANDRA -> {
                CassandraSettings settings = CassandraSettings.from(store.getConfig("cassandra"));
                int schema =
                        CassandraStore.prepare(settings, UlidCreator.getUlid().toLowerCase());
                yield "The keyspace " + settings.keyspace() + " has schema " + schema + ", and the master key is in "
                        + settings.masterKey()
                        + ": every node needs a copy of it, and it must never be stored in the cluster.";
            }
        });
    }

    /** Work whose exceptions become sentences. */
    private interface Step<T> {
        T take();
    }

    private static <T> T orRefuse(Step<T> step) throws NodeStartException {
        try {
            return step.take();
        } catch (RuntimeException failed) {
            throw new NodeStartException(String.valueOf(failed.getMessage()), failed);
        }
    }
}
