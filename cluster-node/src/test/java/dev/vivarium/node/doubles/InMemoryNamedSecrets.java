package dev.vivarium.node.doubles;

import dev.vivarium.persistence.secrets.NamedSecretSeal;
import dev.vivarium.persistence.secrets.NamedSecretTable;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** Secrets of tenants, sealed as in a store and kept in memory. */
public final class InMemoryNamedSecrets implements NamedSecretTable {
    private final Map<List<Object>, SealedSecret> rows = new LinkedHashMap<>();
    private final Map<List<Object>, Instant> uses = new LinkedHashMap<>();
    private Optional<RuntimeException> failure = Optional.empty();
    private final NamedSecrets secrets =
            new NamedSecrets(this, NamedSecretSeal.of(List.of(SecretSeal.Key.random())), Clock.systemUTC());

    public NamedSecrets secrets() {
        return secrets;
    }

    /** From now on, everything fails. */
    public synchronized void failWith(RuntimeException why) {
        failure = Optional.of(why);
    }

    /** Gives the tenant as many secrets as it may have. */
    public void fill(Tenant tenant) {
        int there = list(tenant).toCompletableFuture().join().size();
        for (int n = there; n < NamedSecrets.COUNT_MAX; n++) {
            put(tenant, "filler-" + n, "any");
        }
    }

    /** Puts the first value of a secret. */
    public void put(Tenant tenant, String name, String value) {
        secrets.put(tenant, new SecretName(name), 1, value, Principal.LOCAL_OPERATOR)
                .toCompletableFuture()
                .join();
    }

    @Override
    public synchronized CompletionStage<Optional<SealedSecret>> find(Tenant tenant, SecretName name) {
        return done(Optional.ofNullable(rows.get(List.of(tenant, name))));
    }

    @Override
    public synchronized CompletionStage<List<Listed>> list(Tenant tenant) {
        List<Listed> listed = new ArrayList<>();
        rows.forEach((key, row) -> {
            if (row.tenant().equals(tenant)) {
                listed.add(new Listed(
                        tenant,
                        row.name(),
                        row.version(),
                        row.putBy(),
                        row.putAt(),
                        Optional.ofNullable(uses.get(key))));
            }
        });
        return done(listed);
    }

    @Override
    public synchronized CompletionStage<Boolean> put(SealedSecret row) {
        List<Object> key = List.of(row.tenant(), row.name());
        SealedSecret before = rows.get(key);
        boolean follows = row.version() == (before == null ? 1 : before.version() + 1);
        if (follows) {
            rows.put(key, row);
        }
        return done(follows);
    }

    @Override
    public synchronized CompletionStage<Boolean> reseal(SealedSecret row, String before) {
        rows.put(List.of(row.tenant(), row.name()), row);
        return done(true);
    }

    @Override
    public synchronized CompletionStage<Boolean> remove(Tenant tenant, SecretName name) {
        uses.remove(List.of(tenant, name));
        return done(rows.remove(List.of(tenant, name)) != null);
    }

    @Override
    public synchronized CompletionStage<Done> use(Tenant tenant, SecretName name, Instant at) {
        uses.put(List.of(tenant, name), at);
        return done(Done.getInstance());
    }

    @Override
    public synchronized CompletionStage<List<SealedSecret>> notSealedWith(String master, int max) {
        return done(rows.values().stream()
                .filter(row -> !row.sealed().master().equals(master))
                .limit(max)
                .toList());
    }

    private <T> CompletionStage<T> done(T value) {
        return failure.<CompletionStage<T>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(value));
    }
}
