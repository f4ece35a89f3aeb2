package dev.vivarium.node.assembly;

import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.TenantLoad;
import dev.vivarium.node.tenant.EgressOfToday;
import dev.vivarium.node.tenant.KeptOfTenants;
import dev.vivarium.node.tenant.TenantQuotas;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.auth.Tenant;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the quotas of tenants, and their egress of today, again and again, and shows what they use of them on this node.
 */
final class QuotasOfNode {
    private static final Logger LOG = LoggerFactory.getLogger(QuotasOfNode.class);

    private final TenantQuotas quotas;
    private final EgressOfToday egress;
    private final KeptOfTenants kept;
    private final NodeSlots slots;
    private final MultiGauge used;
    private final MultiGauge limits;
    private final MultiGauge measured;
    private final AtomicBoolean reading = new AtomicBoolean();

    private QuotasOfNode(
            TenantQuotas quotas, EgressOfToday egress, KeptOfTenants kept, NodeSlots slots, MeterRegistry metrics) {
        this.quotas = quotas;
        this.egress = egress;
        this.kept = kept;
        this.slots = slots;
        this.used = MultiGauge.builder("vivarium.tenant.used")
                .description("What a tenant's runs on this node take of a quota, in the quota's unit")
                .register(metrics);
        this.measured = MultiGauge.builder("vivarium.tenant.kept.bytes")
                .description(
                        "What the store keeps of a tenant, as this node has measured it last: output of ended runs, and"
                                + " contents of files")
                .register(metrics);
        this.limits = MultiGauge.builder("vivarium.tenant.quota")
                .description("A tenant's quota in the cluster, in its unit; absent where it has none")
                .register(metrics);
    }

    /** Begins, and goes on until the system ends. */
    static void keepCurrent(
            ActorSystem<?> system,
            TenantQuotas quotas,
            EgressOfToday egress,
            KeptOfTenants kept,
            NodeSlots slots,
            Duration interval,
            MeterRegistry metrics) {
        QuotasOfNode node = new QuotasOfNode(quotas, egress, kept, slots, metrics);
        system.scheduler().scheduleWithFixedDelay(Duration.ZERO, interval, node::look, system.executionContext());
    }

    private void look() {
        show();
        if (!reading.compareAndSet(false, true)) {
            return;
        }
        quotas.refresh().thenCompose(read -> egress.refresh()).whenComplete((done, failure) -> {
            reading.set(false);
            if (failure != null) {
                LOG.debug(
                        "The quotas of tenants and their egress of today stay as they were read last: {}",
                        failure.getMessage());
            }
        });
    }

    private void show() {
        List<TenantLoad> tenants = slots.tenants();
        used.register(tenants.stream().flatMap(QuotasOfNode::usedBy).toList(), true);
        measured.register(
                kept.sizes().entrySet().stream()
                        .flatMap(of -> Stream.<MultiGauge.Row<?>>of(
                                keptRow(of.getKey(), "output", of.getValue().output()),
                                keptRow(of.getKey(), "blobs", of.getValue().blobs())))
                        .toList(),
                true);
        limits.register(
                Stream.concat(tenants.stream().map(TenantLoad::tenant), quotas.tenants().stream())
                        .distinct()
                        .flatMap(tenant -> Arrays.stream(Quota.values())
                                .filter(quota -> quotas.of(tenant).of(quota) != Quota.UNLIMITED)
                                .map(quota -> MultiGauge.Row.of(
                                        Tags.of("tenant", tenant.name(), "quota", quota.toString()),
                                        quotas.of(tenant).of(quota))))
                        .<MultiGauge.Row<?>>map(row -> row)
                        .toList(),
                true);
    }

    private static MultiGauge.Row<?> keptRow(Tenant tenant, String kind, long bytes) {
        return MultiGauge.Row.of(Tags.of("tenant", tenant.name(), "kind", kind), bytes);
    }

    private static Stream<MultiGauge.Row<?>> usedBy(TenantLoad load) {
        return Arrays.stream(Quota.values())
                .filter(quota -> load.use().of(quota).isPresent())
                .map(quota -> MultiGauge.Row.of(
                        Tags.of("tenant", load.tenant().name(), "quota", quota.toString()),
                        load.use().of(quota).getAsLong()));
    }
}
