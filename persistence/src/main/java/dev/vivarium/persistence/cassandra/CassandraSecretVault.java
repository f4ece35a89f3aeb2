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
 * A vault whose keys are rows: each run's key, wrapped with the installation's master key, which is in a file on every
 * node and never in the cluster. The table is written by lightweight transactions only, so that two nodes that create a
 * key for one run get the same one, and no sweep destroys a key that was just used to seal.
 *
 * <p>Destroying a key deletes its row, but a cluster forgets slowly: the wrapped key stays in commit logs until they
 * are recycled, in the Paxos table for hours, in files until they are compacted after the table's gc_grace_seconds (ten
 * minutes), and in any snapshots and backups. Those hold a wrapped key, which only the master key opens; so a key is
 * irrecoverable once the files are compacted, or once the master key is replaced and the old one destroyed, whichever
 * is first. {@link KeyRows} rewraps the keys of live runs with the current master key.
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

    /** A stored key. */
    private record Wrapped(Blob bytes, String master) {
        /** By column names, since transactions' answers have no fixed order of columns. */
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

    /** The run's key, with its time of use updated; creates one when there is none. */
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
                        + ": it is sealed with a master key that this node does not have: compare the nodes' files."));
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

    /** Destroys a run's key unless secrets were sealed with it since the given time. */
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

    /** Rewraps a run's key with the current master key, if it is wrapped with another known one. */
    CompletionStage<Done> rewrap(RunId run) {
        String what = "rewrap the key of run " + run;
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

    /** Errors name the run and never the sealed values. */
    private static <T> T crypto(String what, Crypto<T> crypto) {
        try {
            return crypto.result();
        } catch (GeneralSecurityException failed) {
            throw new StoreUnavailable(
                    "The vault cannot " + what + ": the key or the sealed secrets are damaged.", failed);
        }
    }
}
