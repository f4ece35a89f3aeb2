package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.persistence.store.TenantStore.Replaced;
import dev.vivarium.persistence.store.TenantStore.StoredTenant;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.access.WebhookKey;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Webhook;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every store's settings of tenants. */
public abstract class TenantStoreContract {
    private static final Instant NOON = Instant.parse("2026-12-01T12:00:00.123Z");
    private static final int AT_ONCE = 8;

    /** Others' tests may have left theirs. */
    private final Tenant tenant = new Tenant("t-" + UUID.randomUUID());

    protected abstract TenantStore tenants();

    /** The same settings as seen by another node. */
    protected abstract TenantStore elsewhere();

    @Test
    void aTenantHasNoSettingsUntilTheyAreSet() {
        assertThat(join(tenants().find(tenant))).isEmpty();
        assertThat(join(tenants().list())).noneMatch(this::isOurs);
    }

    @Test
    void settingsAreSeenOnEveryNodeAsTheyWereSet() {
        TenantSettings settings = new TenantSettings(
                Map.of("runs", 10L, "memory", Quota.UNLIMITED, "ofANewerVersion", 0L),
                new TenantWebhooks(
                        Optional.of(new Webhook("https://hooks.example.com/", Webhook.ALL_EVENTS)),
                        List.of(new WebhookKey("00", "11", NOON, Optional.of(NOON)))),
                new Principal(Principal.Kind.TOKEN, "ops"),
                NOON);

        assertThat(join(tenants().replace(tenant, 0, settings))).isEqualTo(Replaced.DONE);

        StoredTenant stored = new StoredTenant(tenant, 1, settings);
        assertThat(join(elsewhere().find(tenant))).contains(stored);
        assertThat(join(elsewhere().list())).contains(stored);
    }

    @Test
    void aChangeReplacesWhatItHasSeenAndNothingElse() {
        assertThat(join(tenants().replace(tenant, 0, runs(1)))).isEqualTo(Replaced.DONE);

        assertThat(join(elsewhere().replace(tenant, 0, runs(2)))).isEqualTo(Replaced.CHANGED_MEANWHILE);
        assertThat(join(elsewhere().replace(tenant, 2, runs(2)))).isEqualTo(Replaced.CHANGED_MEANWHILE);
        assertThat(join(elsewhere().replace(tenant, 1, runs(3)))).isEqualTo(Replaced.DONE);

        assertThat(join(tenants().find(tenant))).contains(new StoredTenant(tenant, 2, runs(3)));
        assertThat(join(tenants().list()).stream().filter(this::isOurs)).hasSize(1);
    }

    @Test
    void ofChangesAtOnceOneIsMade() {
        join(tenants().replace(tenant, 0, runs(0)));

        List<CompletableFuture<Replaced>> atOnce = IntStream.range(0, AT_ONCE)
                .mapToObj(n -> (n % 2 == 0 ? tenants() : elsewhere())
                        .replace(tenant, 1, runs(n + 1))
                        .toCompletableFuture())
                .toList();
        long done = atOnce.stream()
                .map(CompletableFuture::join)
                .filter(Replaced.DONE::equals)
                .count();

        assertThat(done).isEqualTo(1);
        assertThat(join(elsewhere().find(tenant)).orElseThrow().version()).isEqualTo(2);
    }

    private boolean isOurs(StoredTenant stored) {
        return stored.tenant().equals(tenant);
    }

    private static TenantSettings runs(long amount) {
        return new TenantSettings(Map.of("runs", amount), TenantWebhooks.NONE, Principal.LOCAL_OPERATOR, NOON);
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
