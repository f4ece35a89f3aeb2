package dev.vivarium.persistence.contract;

import dev.vivarium.persistence.secrets.NamedSecretTable;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** A store's table, as if one tenant alone had secrets. */
record TableOfOneTenant(NamedSecretTable table, Tenant only) implements NamedSecretTable {
    private static final int ALL = 10_000;

    @Override
    public CompletionStage<Optional<SealedSecret>> find(Tenant tenant, SecretName name) {
        return table.find(tenant, name);
    }

    @Override
    public CompletionStage<List<Listed>> list(Tenant tenant) {
        return table.list(tenant);
    }

    @Override
    public CompletionStage<Boolean> put(SealedSecret row) {
        return table.put(row);
    }

    @Override
    public CompletionStage<Boolean> reseal(SealedSecret row, String before) {
        return table.reseal(row, before);
    }

    @Override
    public CompletionStage<Boolean> remove(Tenant tenant, SecretName name) {
        return table.remove(tenant, name);
    }

    @Override
    public CompletionStage<Done> use(Tenant tenant, SecretName name, Instant at) {
        return table.use(tenant, name, at);
    }

    @Override
    public CompletionStage<List<SealedSecret>> notSealedWith(String master, int max) {
        return table.notSealedWith(master, ALL).thenApply(rows -> rows.stream()
                .filter(row -> row.tenant().equals(only))
                .limit(max)
                .toList());
    }
}
