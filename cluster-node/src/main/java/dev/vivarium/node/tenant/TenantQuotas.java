package dev.vivarium.node.tenant;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.persistence.store.TenantStore.Replaced;
import dev.vivarium.persistence.store.TenantStore.StoredTenant;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The quotas of tenants: what the configuration says, and before that what operators have set. A node reads the settings
 * again and again ({@link TenantConfig#refresh}), so a change holds on this node at once and on all others within that
 * time; while the store is away, the quotas read last hold. Stages fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable}. Thread-safe.
 */
public final class TenantQuotas {
    private static final Logger LOG = LoggerFactory.getLogger(TenantQuotas.class);
    /** Of operators who change one tenant at the same time, the slowest tries so often. */
    private static final int TRIES = 20;

    private final TenantStore store;
    private final TenantConfig config;
    private final Clock clock;
    private volatile Map<Tenant, StoredTenant> read = Map.of();

    public TenantQuotas(TenantStore store, TenantConfig config, Clock clock) {
        this.store = store;
        this.config = config;
        this.clock = clock;
    }

    /** What becomes of a change. */
    public sealed interface Change {
        /** It holds, durably. */
        record Made() implements Change {}

        /** Something is set for as many tenants as may be. */
        record TooMany(int max) implements Change {}
    }

    /** The tenant's quotas. */
    public Quotas of(Tenant tenant) {
        return config.defaults().except(configured(tenant)).except(set(tenant));
    }

    /** What the configuration says of the tenant by name. */
    public Quotas configured(Tenant tenant) {
        return config.named().getOrDefault(tenant, Quotas.NONE);
    }

    /** What operators have set for the tenant. */
    public Quotas set(Tenant tenant) {
        return settings(tenant).map(found -> Quotas.named(found.quotas())).orElse(Quotas.NONE);
    }

    /** The tenant's settings, as they were read last. */
    public Optional<TenantSettings> settings(Tenant tenant) {
        return Optional.ofNullable(read.get(tenant)).map(StoredTenant::settings);
    }

    /** The tenants with quotas of their own. */
    public Set<Tenant> tenants() {
        Set<Tenant> all = new HashSet<>(config.named().keySet());
        read.values().stream()
                .filter(stored -> !stored.settings().quotas().isEmpty())
                .forEach(stored -> all.add(stored.tenant()));
        return all;
    }

    /** Reads the settings again. */
    public CompletionStage<Done> refresh() {
        return store.list().thenApply(all -> {
            Map<Tenant, StoredTenant> now =
                    all.stream().collect(Collectors.toMap(StoredTenant::tenant, Function.identity()));
            learn(now);
            return Done.getInstance();
        });
    }

    /** Keeps the later settings: a list that was begun before a change of this node's may end after it. */
    private synchronized void learn(Map<Tenant, StoredTenant> found) {
        Map<Tenant, StoredTenant> latest = new HashMap<>(read);
        found.forEach((tenant, stored) ->
                latest.merge(tenant, stored, (one, other) -> one.version() > other.version() ? one : other));
        read = Map.copyOf(latest);
    }

    /** What operators have set for the tenant's webhooks, as it was read last. */
    public TenantWebhooks webhooks(Tenant tenant) {
        return settings(tenant).map(TenantSettings::webhooks).orElse(TenantWebhooks.NONE);
    }

    /**
     * Sets quotas of a tenant; those that are not named stay as they are.
     *
     * @param amounts empty for what the configuration says
     */
    public CompletionStage<Change> change(Tenant tenant, Map<Quota, Optional<Long>> amounts, Principal by) {
        return change(tenant, by, before -> {
            Map<String, Long> quotas = new HashMap<>(before.quotas());
            amounts.forEach((quota, amount) -> amount.ifPresentOrElse(
                    set -> quotas.put(quota.toString(), set), () -> quotas.remove(quota.toString())));
            return new TenantSettings(quotas, before.webhooks(), before.by(), before.at());
        });
    }

    /** Sets what a tenant's webhooks are, from what they were. */
    public CompletionStage<Change> changeWebhooks(Tenant tenant, UnaryOperator<TenantWebhooks> change, Principal by) {
        return change(
                tenant,
                by,
                before ->
                        new TenantSettings(before.quotas(), change.apply(before.webhooks()), before.by(), before.at()));
    }

    private CompletionStage<Change> change(Tenant tenant, Principal by, UnaryOperator<TenantSettings> change) {
        return store.list().thenCompose(all -> {
            boolean isNew = all.stream().noneMatch(stored -> stored.tenant().equals(tenant));
            return isNew && all.size() >= config.countMax()
                    ? CompletableFuture.completedStage(new Change.TooMany(config.countMax()))
                    : change(tenant, by, change, TRIES);
        });
    }

    private CompletionStage<Change> change(
            Tenant tenant, Principal by, UnaryOperator<TenantSettings> change, int tries) {
        return store.find(tenant).thenCompose(found -> {
            Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
            TenantSettings changed = change.apply(found.map(StoredTenant::settings)
                    .orElseGet(() -> new TenantSettings(Map.of(), TenantWebhooks.NONE, by, now)));
            TenantSettings next = new TenantSettings(changed.quotas(), changed.webhooks(), by, now);
            long version = found.map(StoredTenant::version).orElse(0L);
            return store.replace(tenant, version, next).thenCompose(replaced -> {
                if (replaced == Replaced.CHANGED_MEANWHILE && tries > 1) {
                    return change(tenant, by, change, tries - 1);
                }
                if (replaced == Replaced.CHANGED_MEANWHILE) {
                    throw new StoreUnavailable(
                            "Others change the settings of the same tenant all the time; try again.");
                }
                learn(Map.of(tenant, new StoredTenant(tenant, version + 1, next)));
                LOG.info("The settings of tenant {} were changed by {}: quotas {}.", tenant, by, next.quotas());
                return CompletableFuture.completedStage(new Change.Made());
            });
        });
    }
}
