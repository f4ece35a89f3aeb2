package dev.vivarium.persistence.secrets;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.persistence.secrets.NamedSecretTable.Listed;
import dev.vivarium.persistence.secrets.NamedSecretTable.SealedSecret;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.SecretVersion;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The secrets that tenants keep for their runs, for all nodes of an installation. A value is sealed before it is stored
 * ({@link NamedSecretSeal}), and opened for one purpose only: to give it to an attempt of a run of its tenant. A secret has
 * one value: putting another one replaces it, and nothing of the value before is kept. Every stage fails with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} when the outcome is unknown. Thread-safe.
 */
public final class NamedSecrets {
    /** The most secrets of one tenant. Of tenants that put secrets at the same time, it holds to within those. */
    public static final int COUNT_MAX = 100;

    private static final int NOTED_MAX = 10_000;
    private static final Duration USES_NOTED_EVERY = Duration.ofMinutes(1);
    private static final int RESEALED_AT_ONCE = 100;

    private final NamedSecretTable table;
    private final NamedSecretSeal seal;
    private final Clock clock;
    /** Secrets whose use was noted a short time ago. */
    private final Cache<String, Instant> noted = Caffeine.newBuilder()
            .maximumSize(NOTED_MAX)
            .expireAfterWrite(USES_NOTED_EVERY)
            .build();

    /** @param clock the wall clock, for the times of changes and uses */
    public NamedSecrets(NamedSecretTable table, NamedSecretSeal seal, Clock clock) {
        this.table = table;
        this.seal = seal;
        this.clock = clock;
    }

    /** The result of a conditional change. */
    public sealed interface Putting {
        /** The value is stored, durably. */
        record Done(Listed secret) implements Putting {}

        /** Somebody else has changed the secret meanwhile. */
        record ChangedMeanwhile() implements Putting {}
    }

    /**
     * Values for an attempt.
     *
     * @param values by the variable that asks for each
     * @param versions which they are, each once, by name
     */
    public record Opened(Map<String, String> values, List<SecretVersion> versions) {
        /** None. */
        public static final Opened NONE = new Opened(Map.of(), List.of());

        public Opened {
            values = Map.copyOf(values);
            versions = List.copyOf(versions);
        }

        @Override
        public String toString() {
            return "Opened" + versions;
        }
    }

    /** The tenant has no secret of this name. */
    public static final class NoSuchSecret extends RuntimeException {
        private final SecretName name;

        public NoSuchSecret(SecretName name) {
            super("The tenant has no secret " + name + ".");
            this.name = name;
        }

        /** The name. */
        public SecretName name() {
            return name;
        }
    }

    /** All of a tenant's, by name. */
    public CompletionStage<List<Listed>> list(Tenant tenant) {
        return table.list(tenant)
                .thenApply(all ->
                        all.stream().sorted(Comparator.comparing(Listed::name)).toList());
    }

    /** Which of the names the tenant has no secret of, in their order. */
    public CompletionStage<Set<SecretName>> missing(Tenant tenant, Set<SecretName> names) {
        if (names.isEmpty()) {
            return CompletableFuture.completedStage(Set.of());
        }
        return table.list(tenant).thenApply(all -> {
            Set<SecretName> missing = new TreeSet<>(names);
            all.forEach(secret -> missing.remove(secret.name()));
            return missing;
        });
    }

    /**
     * Puts a value under a name.
     *
     * @param version the version that it becomes: one more than there is, 1 where there is none
     */
    public CompletionStage<Putting> put(Tenant tenant, SecretName name, long version, String value, Principal by) {
        // Stores keep milliseconds, and an answer says what is stored.
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        SealedSecret row = new SealedSecret(tenant, name, version, seal.seal(tenant, name, version, value), by, now);
        return table.put(row)
                .thenApply(put -> put
                        ? new Putting.Done(new Listed(tenant, name, version, by, now, Optional.empty()))
                        : new Putting.ChangedMeanwhile());
    }

    /** Removes a secret and its value, durably; returns whether there was one. */
    public CompletionStage<Boolean> remove(Tenant tenant, SecretName name) {
        return table.remove(tenant, name);
    }

    /**
     * The current values of secrets, for an attempt of a run of their tenant; fails with {@link NoSuchSecret} when one is
     * missing.
     *
     * @param names by the variable that asks for each
     */
    public CompletionStage<Opened> open(Tenant tenant, Map<String, SecretName> names) {
        if (names.isEmpty()) {
            return CompletableFuture.completedStage(Opened.NONE);
        }
        List<CompletableFuture<SealedSecret>> rows = new TreeSet<>(names.values())
                .stream().map(name -> row(tenant, name).toCompletableFuture()).toList();
        return CompletableFuture.allOf(rows.toArray(CompletableFuture<?>[]::new))
                .thenApply(found ->
                        opened(names, rows.stream().map(CompletableFuture::join).toList()));
    }

    private CompletionStage<SealedSecret> row(Tenant tenant, SecretName name) {
        return table.find(tenant, name).thenApply(found -> found.orElseThrow(() -> new NoSuchSecret(name)));
    }

    private Opened opened(Map<String, SecretName> names, List<SealedSecret> rows) {
        Map<SecretName, String> values = new TreeMap<>();
        List<SecretVersion> versions = new ArrayList<>();
        for (SealedSecret row : rows) {
            values.put(row.name(), seal.open(row.tenant(), row.name(), row.version(), row.sealed()));
            versions.add(new SecretVersion(row.name(), row.version()));
            noteUse(row);
        }
        Map<String, String> given = new TreeMap<>();
        names.forEach((variable, name) -> given.put(variable, String.valueOf(values.get(name))));
        return new Opened(given, versions);
    }

    /** Losing one is no harm: the run's events have every use. */
    private void noteUse(SealedSecret row) {
        String key = row.name() + ":" + row.tenant();
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        if (noted.asMap().putIfAbsent(key, now) == null) {
            table.use(row.tenant(), row.name(), now).exceptionally(lost -> Done.getInstance());
        }
    }

    /**
     * Seals with the current master key what others sealed, as far as this node has those. Once it has nothing left to do,
     * no value needs them any more.
     *
     * @return how many were sealed again
     */
    public CompletionStage<Integer> reseal() {
        return table.notSealedWith(seal.current(), RESEALED_AT_ONCE).thenCompose(rows -> {
            List<CompletableFuture<Boolean>> resealed = rows.stream()
                    .filter(row -> seal.knows(row.sealed().master()))
                    .map(row ->
                            table.reseal(resealed(row), row.sealed().master()).toCompletableFuture())
                    .toList();
            return CompletableFuture.allOf(resealed.toArray(CompletableFuture<?>[]::new))
                    .thenApply(all -> (int)
                            resealed.stream().filter(CompletableFuture::join).count());
        });
    }

    private SealedSecret resealed(SealedSecret row) {
        String value = seal.open(row.tenant(), row.name(), row.version(), row.sealed());
        return new SealedSecret(
                row.tenant(),
                row.name(),
                row.version(),
                seal.seal(row.tenant(), row.name(), row.version(), value),
                row.putBy(),
                row.putAt());
    }
}
