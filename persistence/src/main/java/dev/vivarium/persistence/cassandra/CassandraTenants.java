package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.store.TenantSettingsJson;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.auth.Tenant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Settings of tenants in one partition, changed by lightweight transactions. */
final class CassandraTenants implements TenantStore {
    private static final int BUCKET = 0;
    private static final String LIST = "SELECT tenant, version, settings FROM tenant_settings WHERE bucket = ?";
    private static final String FIND = LIST + " AND tenant = ?";
    private static final String BEGIN =
            "INSERT INTO tenant_settings (bucket, tenant, version, settings) VALUES (?, ?, ?, ?) IF NOT EXISTS";
    private static final String REPLACE =
            "UPDATE tenant_settings SET version = ?, settings = ? WHERE bucket = ? AND tenant = ? IF version = ?";

    private final Cassandra cassandra;

    CassandraTenants(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    @Override
    public CompletionStage<List<StoredTenant>> list() {
        return cassandra
                .rows("list the settings of tenants", LIST, BUCKET)
                .thenApply(rows -> rows.stream().map(CassandraTenants::tenant).toList());
    }

    @Override
    public CompletionStage<Optional<StoredTenant>> find(Tenant tenant) {
        return cassandra
                .settledRows("look for the settings of a tenant", FIND, BUCKET, tenant.name())
                .thenApply(rows -> rows.stream().findFirst().map(CassandraTenants::tenant));
    }

    @Override
    public CompletionStage<Replaced> replace(Tenant tenant, long version, TenantSettings settings) {
        long next = version + 1;
        String text = TenantSettingsJson.text(settings);
        Cql change = version == 0
                ? new Cql(BEGIN, BUCKET, tenant.name(), next, text)
                : new Cql(REPLACE, next, text, BUCKET, tenant.name(), version);
        return cassandra
                .ifSo("change the settings of a tenant", List.of(change))
                .thenApply(verdict -> verdict.isApplied() ? Replaced.DONE : Replaced.CHANGED_MEANWHILE);
    }

    private static StoredTenant tenant(Row row) {
        return new StoredTenant(
                new Tenant(String.valueOf(row.getString("tenant"))),
                row.getLong("version"),
                TenantSettingsJson.of(String.valueOf(row.getString("settings"))));
    }
}
