package dev.vivarium.node.assembly;

import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.persistence.cassandra.CassandraSettings;
import dev.vivarium.persistence.cassandra.CassandraStore;
import dev.vivarium.persistence.content.BlobSweepSettings;
import dev.vivarium.persistence.embedded.EmbeddedStore;
import dev.vivarium.persistence.postgres.PostgresSettings;
import dev.vivarium.persistence.postgres.PostgresStore;
import dev.vivarium.persistence.store.Store;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Chooses a node's store by its configuration, {@code vivarium.store}. */
public final class NodeStore {
    private NodeStore() {}

    /** The kinds of stores, as {@code vivarium.store.kind} names them. */
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

    /** Opens the store; blocks. Its failures are sentences for the operator. */
    public static Store open(Config store, Path dataDir) throws NodeStartException {
        Kind kind = Kind.of(store);
        return told(() -> switch (kind) {
            case EMBEDDED -> EmbeddedStore.open(dataDir, blobs(store));
            case POSTGRES -> PostgresStore.openShared(PostgresSettings.from(store.getConfig("postgres")), blobs(store));
            case CASSANDRA -> CassandraStore.open(CassandraSettings.from(store.getConfig("cassandra")), blobs(store));
        });
    }

    private static BlobSweepSettings blobs(Config store) {
        return BlobSweepSettings.from(store.getConfig("blobs"));
    }

    /**
     * Makes or updates the schema of a store that several nodes share.
     *
     * @return what was done, as a sentence
     */
    static String prepare(Config store) throws NodeStartException {
        Kind kind = Kind.of(store);
        return told(() -> switch (kind) {
            case EMBEDDED -> "The embedded store needs no preparation: each node makes its own at its first start.";
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
                        + ": every node needs a copy of it, and the cluster must never have one.";
            }
        });
    }

    /** What fails by an exception, in a sentence. */
    private interface Step<T> {
        T take();
    }

    private static <T> T told(Step<T> step) throws NodeStartException {
        try {
            return step.take();
        } catch (RuntimeException failed) {
            throw new NodeStartException(String.valueOf(failed.getMessage()), failed);
        }
    }
}
