package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * A vault whose keys are rows: each run's key, sealed with the installation's master key, which is in a file of every
 * node's and never in the cluster. All that is written to the table is written by lightweight transactions, so that two
 * nodes that make a key for one run make one, and no sweep destroys a key that somebody has just sealed with.
 *
 * <p>To destroy a key is to delete its row, and a cluster forgets slowly: the sealed key stays in commit logs until they
 * are recycled, in the table of Paxos for hours, in files until they are compacted after the table's gc_grace_seconds (ten
 * minutes), and in whatever snapshots and backups were made. Whoever gets hold of those has a sealed key, which the master
 * key alone opens; so a key is beyond anybody's reach when the files are compacted or the master key is replaced and the
 * old one destroyed, whichever is first. {@link KeyRows} seals the keys of live runs anew with the current master key.
 */
final class CassandraSecretVault implements SecretVault {
    private static final String INSERT =
            "INSERT INTO secret_key (run_id, wrapped, master, used_at) VALUES (?, ?, ?, ?) IF NOT EXISTS";
    private static final String USE = "UPDATE secret_key SET used_at = ? WHERE run_id = ? IF EXISTS";
    private static final String KEY = "SELECT wrapped, master, used_at FROM secret_key WHERE run_id = ?";
    private static final String DESTROY = "DELETE FROM secret_key WHERE run_id = ? IF EXISTS";
    private static final String DESTROY_UNUSED = "DELETE FROM secret_key WHERE run_id = ? IF used_at = ?";
    private static final String WRAP_ANEW =
            "UPDATE secret_key SET wrapped = ?, master = ? WHERE run_id = ? IF wrapped = ?";

    private final Cassandra cassandra;
    private final MasterKeys masters;
    private final Clock clock;

    CassandraSecretVault(Cassandra cassandra, MasterKeys masters, Clock clock) {
        this.cassandra = cassandra;
        this.masters = masters;
        this.clock = clock;
    }

    /** A key as it is kept. */
    private record Wrapped(Blob bytes, String master) {
        /** By column names, since the answers of transactions order their columns as they like. */
        static Wrapped of(Row row) {
            int wrapped = row.getColumnDefinitions().firstIndexOf("wrapped");
            return new Wrapped(CassandraRunJournal.bytes(row, wrapped), String.valueOf(row.getString("master")));
        }
    }

    @Override
    public CompletionStage<SealedSecrets> seal(RunId run, Map<String, String> secrets) {
        if (secrets.isEmpty()) {
            return CompletableFuture.completedFuture(SealedSecrets.NONE);
        }
        Map<String, String> all = Map.copyOf(secrets);
        String what = "seal the secrets of run " + run;
        return keyForSealing(what, run)
                .thenCompose(key -> cassandra.work(what, () -> crypto(what, () -> SecretSeal.seal(key, run, all))));
    }

    /** The run's key, marked as just used; a new one when there is none. */
    private CompletionStage<SecretSeal.Key> keyForSealing(String what, RunId run) {
        SecretSeal.Key fresh = SecretSeal.Key.random();
        Blob wrapped = crypto(what, () -> SecretSeal.wrap(masters.current(), run, fresh));
        return cassandra
                .ifSo(
                        what,
                        List.of(new Cql(
                                INSERT,
                                run.value(),
                                ByteBuffer.wrap(wrapped.toByteArray()),
                                masters.current().name(),
                                now())))
                .thenCompose(made -> made.isApplied()
                        ? CompletableFuture.completedFuture(fresh)
                        : used(what, run, Wrapped.of(made.row().orElseThrow())));
    }

    private CompletionStage<SecretSeal.Key> used(String what, RunId run, Wrapped existing) {
        SecretSeal.Key key = unwrap(what, run, existing);
        return cassandra
                .ifSo(what, List.of(new Cql(USE, now(), run.value())))
                .thenCompose(used -> used.isApplied()
                        ? CompletableFuture.completedFuture(key)
                        // Destroyed in between, by the end of the run or a sweep.
                        : keyForSealing(what, run));
    }

    private long now() {
        return clock.instant().toEpochMilli();
    }

    private SecretSeal.Key unwrap(String what, RunId run, Wrapped wrapped) {
        SecretSeal.Key master = masters.named(wrapped.master())
                .orElseThrow(() -> new StoreUnavailable("The vault cannot " + what
                        + ": it is sealed with another master key than this node has: compare the nodes' files."));
        return crypto(what, () -> SecretSeal.unwrap(master, run, wrapped.bytes()));
    }

    @Override
    public CompletionStage<Map<String, String>> open(RunId run, SealedSecrets sealed) {
        if (sealed.names().isEmpty()) {
            return CompletableFuture.completedFuture(Map.of());
        }
        String what = "open the secrets of run " + run;
        return cassandra.rows(what, KEY, run.value()).thenCompose(rows -> {
            if (rows.isEmpty()) {
                throw new KeyDestroyed(run);
            }
            SecretSeal.Key key = unwrap(what, run, Wrapped.of(rows.get(0)));
            return cassandra.work(what, () -> crypto(what, () -> SecretSeal.open(key, run, sealed)));
        });
    }

    @Override
    public CompletionStage<Done> shred(RunId run) {
        return cassandra
                .ifSo("destroy the key to the secrets of run " + run, List.of(new Cql(DESTROY, run.value())))
                .thenApply(destroyed -> Done.getInstance());
    }

    /** Destroys the key of a run unless secrets were sealed with it since then. */
    CompletionStage<Done> shredUnlessSealedSince(RunId run, Instant since) {
        String what = "destroy the key to the secrets of run " + run;
        return cassandra.settledRows(what, KEY, run.value()).thenCompose(rows -> {
            if (rows.isEmpty() || rows.get(0).getLong("used_at") >= since.toEpochMilli()) {
                return CompletableFuture.completedFuture(Done.getInstance());
            }
            return cassandra
                    .ifSo(
                            what,
                            List.of(new Cql(
                                    DESTROY_UNUSED, run.value(), rows.get(0).getLong("used_at"))))
                    .thenApply(destroyed -> Done.getInstance());
        });
    }

    /** Seals a run's key with the current master key, if it is sealed with another one of ours. */
    CompletionStage<Done> wrapAnew(RunId run) {
        String what = "seal the key of run " + run + " anew";
        return cassandra.rows(what, KEY, run.value()).thenCompose(rows -> {
            if (rows.isEmpty() || masters.current().name().equals(rows.get(0).getString("master"))) {
                return CompletableFuture.completedFuture(Done.getInstance());
            }
            Wrapped old = Wrapped.of(rows.get(0));
            SecretSeal.Key key = unwrap(what, run, old);
            Blob wrapped = crypto(what, () -> SecretSeal.wrap(masters.current(), run, key));
            return cassandra
                    .ifSo(
                            what,
                            List.of(new Cql(
                                    WRAP_ANEW,
                                    ByteBuffer.wrap(wrapped.toByteArray()),
                                    masters.current().name(),
                                    run.value(),
                                    ByteBuffer.wrap(old.bytes().toByteArray()))))
                    .thenApply(done -> Done.getInstance());
        });
    }

    private interface Crypto<T> {
        T result() throws GeneralSecurityException;
    }

    /** Errors name the run and never what was sealed. */
    private static <T> T crypto(String what, Crypto<T> crypto) {
        try {
            return crypto.result();
        } catch (GeneralSecurityException failed) {
            throw new StoreUnavailable(
                    "The vault cannot " + what + ": the key or the sealed secrets are damaged.", failed);
        }
    }
}
