package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.TenantSettingsJson;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.auth.Tenant;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Settings of tenants in a table, a row each. */
final class PostgresTenants implements TenantStore {
    private static final String LIST = "SELECT tenant, version, settings FROM tenant_settings";
    private static final String FIND = LIST + " WHERE tenant = ?";
    private static final String BEGIN =
            "INSERT INTO tenant_settings (settings, tenant, version) VALUES (?, ?, ? + 1) ON CONFLICT DO NOTHING";
    private static final String REPLACE =
            "UPDATE tenant_settings SET settings = ?, version = version + 1 WHERE tenant = ? AND version = ?";

    private final Database database;

    PostgresTenants(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<List<StoredTenant>> list() {
        return database.query("list the settings of tenants", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(LIST)) {
                return all(statement);
            }
        });
    }

    @Override
    public CompletionStage<Optional<StoredTenant>> find(Tenant tenant) {
        return database.query("look for the settings of a tenant", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(FIND)) {
                statement.setString(1, tenant.name());
                return all(statement).stream().findFirst();
            }
        });
    }

    @Override
    public CompletionStage<Replaced> replace(Tenant tenant, long version, TenantSettings settings) {
        return database.atOnce("change the settings of a tenant", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(version == 0 ? BEGIN : REPLACE)) {
                statement.setString(1, TenantSettingsJson.text(settings));
                statement.setString(2, tenant.name());
                statement.setLong(3, version);
                return statement.executeUpdate() == 1 ? Replaced.DONE : Replaced.CHANGED_MEANWHILE;
            }
        });
    }

    private static List<StoredTenant> all(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            List<StoredTenant> tenants = new ArrayList<>();
            while (rows.next()) {
                tenants.add(new StoredTenant(
                        new Tenant(rows.getString("tenant")),
                        rows.getLong("version"),
                        TenantSettingsJson.of(rows.getString("settings"))));
            }
            return tenants;
        }
    }
}
