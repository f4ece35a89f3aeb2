package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.JournaledActs;
import dev.vivarium.node.audit.AuditWatch;
import dev.vivarium.node.audit.CheckFile;
import dev.vivarium.node.audit.CheckSettings;
import dev.vivarium.node.audit.CheckWatch;
import dev.vivarium.node.audit.LogChecks;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.joining.Guardian;
import dev.vivarium.node.joining.JoinHandshake;
import dev.vivarium.node.joining.Joining;
import dev.vivarium.node.membership.AloneProvider;
import dev.vivarium.node.membership.ClusterSettings;
import dev.vivarium.node.membership.ClusterTls;
import dev.vivarium.node.membership.Fencing;
import dev.vivarium.node.membership.Membership;
import dev.vivarium.node.membership.MessageSize;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.Machine;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.QuotaCheck;
import dev.vivarium.node.retention.Deletions;
import dev.vivarium.node.retention.Retention;
import dev.vivarium.node.retention.RetentionSettings;
import dev.vivarium.node.run.RunEnvironment;
import dev.vivarium.node.run.RunMetrics;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.run.sharding.ShardedRuns;
import dev.vivarium.node.sandbox.LiveSandboxes;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.NodeSandboxes;
import dev.vivarium.node.sandbox.Reaper;
import dev.vivarium.node.sandbox.SandboxEnvironment;
import dev.vivarium.node.tenant.EgressOfToday;
import dev.vivarium.node.tenant.KeptOfTenants;
import dev.vivarium.node.tenant.TenantConfig;
import dev.vivarium.node.tenant.TenantQuotas;
import dev.vivarium.node.webhook.WebhookGuard;
import dev.vivarium.node.webhook.WebhookSettings;
import dev.vivarium.node.webhook.Webhooks;
import dev.vivarium.persistence.follow.Sweeper;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.KillReason;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.cluster.typed.Cluster;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node without its API: store, actor system, engine, runs and reaper, started in order of their dependencies and
 * stopped in the opposite order. Owned by a {@link LocalNode}; when starting fails, what was started is stopped.
 */
public final class NodeCore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeCore.class);
    private static final Duration TAKEN_IN_MAX = Duration.ofSeconds(30);
    private static final Duration STEP_MAX = Duration.ofSeconds(60);
    /** The time limit for a cut-off node to destroy its sandboxes. */
    private static final Duration CUT_MAX = Duration.ofSeconds(5);
    /** How long a drained node waits for the record of its drain. */
    private static final Duration RECORD_MAX = Duration.ofSeconds(5);

    private final Config config;
    private final ClusterSettings cluster;
    private final Store store;
    private final ActorSystem<Guardian.Command> system;
    private final NodeNetwork network;
    private final SandboxDriver driver;
    private final NodeSandboxes sandboxes;
    private final LiveSandboxes live = new LiveSandboxes();
    private final NodeSlots slots;
    private final TenantQuotas quotas;
    private final Drain drain = new Drain();
    private final NodeLease lease;
    private final NodeClock clock;
    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    /** What names tenants: not for everyone, as the other metrics are. */
    private final PrometheusMeterRegistry tenantMetrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    private final Acts acts;
    private final Retention retention;
    private final Deletions deletions;
    private final Sweeper keptMeasure;
    private final Runs runs;
    private final LogChecks checks;
    private final WebhookGuard webhookGuard;
    private final Webhooks webhooks;
    private final CompletableFuture<Done> cutOff = new CompletableFuture<>();

    /** Starts everything and returns once runs can be submitted; runs that were live before are recovered. */
    static NodeCore start(NodeOptions options) throws NodeStartException {
        NodeConfig config = NodeConfig.of(options.config(), options.overrides());
        ClusterSettings cluster = ClusterSettings.of(config.all());
        requireSharedStore(cluster, config.store());
        Optional<ClusterTls> tls = ClusterTls.of(config.all(), cluster, Clock.systemUTC());
        KnownHolesAtStart.requireNone(config.all().getConfig("vivarium"));
        Store store = NodeStore.open(config.store(), options.dataDir());
        try {
            DataFolder.make(options.dataDir());
            store.audit().guarded(LogGuard.of(config.all(), options.dataDir(), store.installation()));
            NodeCore core = start(layered(config, cluster, store), cluster, tls, store, options.dataDir());
            tls.ifPresent(core::keepCurrent);
            return core;
        } catch (RuntimeException | NodeStartException failed) {
            store.close();
            if (failed instanceof NodeStartException refusal) {
                throw refusal;
            }
            throw new NodeStartException("The node cannot start: " + failed.getMessage(), failed);
        }
    }

    /** The whole configuration, with what follows from the store and from the cluster to join. */
    public static Config layered(NodeConfig config, ClusterSettings cluster, Store store) throws NodeStartException {
        JoinHandshake introduction = JoinHandshake.of(cluster, config.all(), store.installation());
        return BlockingThreads.sized(config.with(store.journalConfig()
                .withFallback(introduction.layer())
                .withFallback(AloneProvider.layer(cluster))
                .withFallback(ClusterTls.layer(config.all(), cluster))
                .withFallback(MessageSize.layer(config.all()))));
    }

    private static void requireSharedStore(ClusterSettings cluster, Config store) throws NodeStartException {
        if (!cluster.isAlone() && store.getString("kind").equals("embedded")) {
            throw new NodeStartException("vivarium.cluster.formation is "
                    + cluster.formation().name().toLowerCase(Locale.ROOT)
                    + ", but an embedded store can be used by one node only: choose another vivarium.store.kind.");
        }
    }

    private static NodeCore start(
            Config config, ClusterSettings cluster, Optional<ClusterTls> tls, Store store, Path dataDir)
            throws NodeStartException {
        CompletableFuture<Done> joined = new CompletableFuture<>();
        Fencing fencing = cluster.newFencing(NodeClock.system());
        ActorSystem<Guardian.Command> system =
                Joining.begin(config, cluster, fencing, store.clusterHold(), joined, tls);
        try {
            Joining.await(system, config, cluster, joined, tls);
            return new NodeCore(config, cluster, fencing, store, system, dataDir);
        } catch (RuntimeException | NodeStartException failed) {
            stop(system, STEP_MAX);
            throw failed;
        }
    }

    private NodeCore(
            Config config,
            ClusterSettings cluster,
            Fencing fencing,
            Store store,
            ActorSystem<Guardian.Command> system,
            Path dataDir)
            throws NodeStartException {
        this.config = config;
        this.cluster = cluster;
        this.lease = fencing.lease();
        this.clock = fencing.clock();
        this.store = store;
        this.system = system;
        this.acts = new JournaledActs(system, nodeName(config), Clock.systemUTC());
        this.network = NodeNetwork.open(store.installation(), nodeName(config), config.getConfig("vivarium.egress"));
        Executor blocking = system.dispatchers().lookup(DispatcherSelector.fromConfig(BlockingThreads.DISPATCHER));
        try {
            KnownHolesAtStart.log(config.getConfig("vivarium"), blocking);
            this.driver = NodeDriver.open(
                    config.getConfig("vivarium.driver"),
                    store.installation(),
                    nodeName(config),
                    blocking,
                    fencing.clock());
        } catch (NodeStartException refused) {
            network.close();
            throw refused;
        }
        TenantConfig tenants = TenantConfig.from(config.getConfig("vivarium.tenants"));
        this.quotas = new TenantQuotas(store.tenants(), tenants, Clock.systemUTC());
        EgressOfToday egress = new EgressOfToday(store.audit(), Clock.systemUTC());
        KeptOfTenants kept = new KeptOfTenants(store.keptData(), fencing.clock()::nanos);
        NodeLoads nodeLoads = new NodeLoads(fencing.clock()::nanos);
        String address = Cluster.get(system).selfMember().address().toString();
        this.slots = NodeSlotsFactory.of(
                config.getConfig("vivarium.run"),
                driver.capabilities().processes() == Capabilities.Processes.ON_THIS_MACHINE
                        ? Machine.of(Path.of("/proc"))
                        : Machine.UNKNOWN,
                driver.capabilities().disks().freeBytes(),
                drain,
                fencing.clock(),
                new QuotaCheck(quotas::of, tenant -> nodeLoads
                        .usedBy(tenant, address)
                        .plus(egress.usedBy(tenant))
                        .plus(kept.usedBy(tenant))));
        store.blobs().observe(slots.keptLately()::contentStored);
        this.sandboxes = new NodeSandboxes(driver, network.sandboxes(), config.getConfig("vivarium.egress"), blocking);
        try {
            // Before any run is recovered, the sandboxes of this node's earlier incarnations must be gone.
            Reaper.Found found = await("asking the container engine for orphans", Reaper.sweep(sandboxes, live));
            if (found.destroyed() > 0) {
                LOG.warn("Destroyed {} sandboxes left by an earlier start of this node.", found.destroyed());
            }
            found.note(acts);
        } catch (NodeStartException failed) {
            driver.close();
            network.close();
            throw failed;
        }
        SandboxEnvironment sandbox = SandboxEnvironment.of(sandboxes, store, live, lease, config, clock);
        ShardedRuns runs = ShardedRuns.start(
                system,
                new RunEnvironment(
                        nodeName(config),
                        sandbox,
                        slots,
                        nodeLoads,
                        fencing.takeoverWait(),
                        drain,
                        new RunMetrics(metrics, slots),
                        Math.toIntExact(config.getBytes("vivarium.run.push-max")),
                        config.getInt("vivarium.run.renewals-max"),
                        disks().inMemoryBytes()));
        this.runs = runs;
        metrics.gauge("vivarium.sandboxes.live", live, LiveSandboxes::count);
        PoolOfNode.start(system, sandboxes.pool(), config.getConfig("vivarium"), slots, drain, clock, metrics);
        metrics.gauge("vivarium.projection.lag.seconds", store, NodeCore::lagSeconds);
        metrics.gauge("vivarium.projection.unreadable.runs", store, Store::unreadableRuns);
        AuditWatch.start(system, store.audit(), metrics);
        this.checks = CheckWatch.start(
                system,
                store.audit(),
                CheckSettings.from(config.getConfig("vivarium.audit.check")),
                new CheckFile(dataDir.resolve("audit-check")),
                nodeName(config),
                metrics);
        Config webhookConfig = config.getConfig("vivarium.webhooks");
        this.webhookGuard = WebhookGuard.of(config.getConfig("vivarium.egress"), webhookConfig);
        this.webhooks = Webhooks.start(
                system, store, webhookGuard, WebhookSettings.from(webhookConfig), metrics, Clock.systemUTC());
        RetentionSettings rules = RetentionSettings.from(config.getConfig("vivarium.retention"));
        this.retention = Retention.start(store, rules, acts, Clock.systemUTC());
        this.deletions = new Deletions(
                store.keptData(),
                store.holds(),
                rules.held(),
                acts,
                system.dispatchers().lookup(DispatcherSelector.fromConfig("vivarium.deletion-dispatcher")));
        this.keptMeasure = new Sweeper(
                kept.measuring(slots.keptLately()),
                new Sweeper.Pace(Duration.ZERO, tenants.measureInterval(), tenants.measureInterval()),
                "vivarium-kept-measure");
        keptMeasure.start();
        metrics.gauge(
                "vivarium.kept.measure.age.seconds",
                kept,
                measured -> measured.age().toMillis() / 1000.0);
        QuotasOfNode.keepCurrent(system, quotas, egress, kept, slots, tenants.refresh(), tenantMetrics);
        system.tell(new Guardian.Watch(
                sandboxes,
                live,
                config.getDuration("vivarium.reaper.interval"),
                config.getBytes("vivarium.sandbox.kernel-memory-growth-max")));
        CoordinatedShutdown.get(system)
                .addTask(CoordinatedShutdown.PhaseBeforeServiceUnbind(), "fence", this::fenceWhenCutOff);
        // Last, since it may take a while: recovered runs need the fence meanwhile.
        awaitPlaceIn(runs);
        Optional<String> place = cluster.isAlone()
                ? Optional.empty()
                : Optional.of(
                        Membership.placeOf(Cluster.get(system).selfMember().address()));
        acts.note((at, node) -> new Act.NodeJoined(at, node, place));
    }

    /** Uses replaced certificates, and lists of revoked ones, while the node runs. */
    private void keepCurrent(ClusterTls tls) {
        Duration interval = config.getDuration("vivarium.cluster.tls.refresh");
        metrics.gauge("vivarium.cluster.certificate.expires", tls, used -> used.expiresAt()
                .getEpochSecond());
        tls.whenRevoked(new ClusterTls.Revocations() {
            @Override
            public void ofPeer(String place) {
                system.tell(new Guardian.Expel(place));
            }

            @Override
            public void ofThisNode() {
                system.tell(new Guardian.Resign());
            }
        });
        system.scheduler()
                .scheduleWithFixedDelay(
                        interval,
                        interval,
                        tls::refresh,
                        system.dispatchers().lookup(DispatcherSelector.fromConfig(BlockingThreads.DISPATCHER)));
    }

    /** Where the disks of sandboxes are. */
    Capabilities.Disks disks() {
        return driver.capabilities().disks();
    }

    /** A node should be ready only when it can receive new runs; after a long wait it starts all the same. */
    private static void awaitPlaceIn(ShardedRuns runs) {
        try {
            await("waiting for the coordinator of shards", runs.takenIn(TAKEN_IN_MAX));
        } catch (NodeStartException late) {
            LOG.warn(
                    "The coordinator of shards has not taken this node in yet; submissions may be refused until it"
                            + " has. ({})",
                    late.getMessage());
        }
    }

    /** First in the shutdown, since nodes that take the runs over rely on it. */
    private CompletionStage<Done> fenceWhenCutOff() {
        if (!isCutOff()) {
            return CompletableFuture.completedStage(Done.getInstance());
        }
        lease.revoke();
        drain.begin();
        List<SandboxId> ids = live.ids();
        LOG.error(
                "The cluster has removed this node, or it reaches no majority of it: destroying its {} sandboxes.",
                ids.size());
        return within(
                        sandboxes.destroy(ids).handle((gone, failure) -> {
                            if (failure != null) {
                                LOG.error("Not all sandboxes could be destroyed immediately: {}", failure.getMessage());
                            }
                            return Done.getInstance();
                        }),
                        CUT_MAX)
                .whenComplete((fenced, failure) -> cutOff.complete(Done.getInstance()));
    }

    /** Whether the cluster, rather than this node, ended its membership. */
    boolean isCutOff() {
        return CoordinatedShutdown.get(system)
                .getShutdownReason()
                .filter(CoordinatedShutdown.clusterDowningReason()::equals)
                .isPresent();
    }

    /**
     * Completes when this core ends by itself: its sandboxes are destroyed and it must be closed. A cut-off node does
     * not wait for its actors.
     */
    CompletionStage<Done> ending() {
        return system.getWhenTerminated().applyToEither(cutOff, done -> done);
    }

    private static double lagSeconds(Store store) {
        return store.projectionLag().toMillis() / 1_000.0;
    }

    ClusterSettings cluster() {
        return cluster;
    }

    private static String nodeName(Config config) {
        return config.getString("vivarium.cluster.node-name");
    }

    Config config() {
        return config;
    }

    Store store() {
        return store;
    }

    ActorSystem<Guardian.Command> system() {
        return system;
    }

    NodeSandboxes sandboxes() {
        return sandboxes;
    }

    Runs runs() {
        return runs;
    }

    Acts acts() {
        return acts;
    }

    Deletions deletions() {
        return deletions;
    }

    LogChecks checks() {
        return checks;
    }

    WebhookGuard webhookGuard() {
        return webhookGuard;
    }

    Webhooks webhooks() {
        return webhooks;
    }

    Drain drain() {
        return drain;
    }

    TenantQuotas quotas() {
        return quotas;
    }

    NodeClock clock() {
        return clock;
    }

    PrometheusMeterRegistry metrics() {
        return metrics;
    }

    PrometheusMeterRegistry tenantMetrics() {
        return tenantMetrics;
    }

    /**
     * Takes no new runs and waits until those with a slot have ended; sandboxes left after the time limit are stopped.
     *
     * @return completes when no sandbox is left, or when the stopped ones have had their grace period
     */
    CompletionStage<Done> drainSandboxes(Principal by, Duration atMost) {
        drain.begin(by);
        CompletionStage<Done> recorded = within(
                acts.record((at, node) -> new Act.NodeDrained(at, node, by)).exceptionally(failed -> {
                    LOG.warn("That this node was drained is not on record: {}", failed.getMessage());
                    return Done.getInstance();
                }),
                RECORD_MAX);
        // A run with a slot may be about to get its sandbox, or its end may not be recorded yet.
        return within(slots.allLeft(), atMost).thenCompose(over -> {
            live.stopAll(KillReason.DRAINED);
            return within(live.allGone(), config.getDuration("vivarium.drain.end-wait"))
                    .thenCombine(recorded, (gone, known) -> gone);
        });
    }

    private static CompletionStage<Done> within(CompletionStage<Done> stage, Duration atMost) {
        return stage.toCompletableFuture()
                .copy()
                .completeOnTimeout(Done.getInstance(), atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Stops everything and waits. Remaining sandboxes are destroyed with their owners, then swept. */
    @Override
    public void close() {
        drain.begin();
        retention.close();
        keptMeasure.close();
        stop(system, isCutOff() ? cluster.endWait() : STEP_MAX);
        try {
            await("sweeping", Reaper.sweep(sandboxes, new LiveSandboxes()));
        } catch (NodeStartException failed) {
            LOG.warn("Sandboxes may be left until the next start: {}", failed.getMessage());
        }
        driver.close();
        network.close();
        store.close();
    }

    private static void stop(ActorSystem<?> system, Duration atMost) {
        system.terminate();
        try {
            system.getWhenTerminated().toCompletableFuture().get(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException late) {
            LOG.warn(
                    "The actors had not stopped after {} ms; this node ends without them. Remaining actors:\n{}",
                    atMost.toMillis(),
                    ((ExtendedActorSystem) system.classicSystem()).printTree());
        } catch (ExecutionException failed) {
            LOG.warn("The actor system did not stop cleanly: {}", String.valueOf(failed.getMessage()));
        }
    }

    private static <T> T await(String doing, CompletionStage<T> stage) throws NodeStartException {
        try {
            return stage.toCompletableFuture().get(STEP_MAX.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            Throwable cause = failed.getCause() == null ? failed : failed.getCause();
            throw new NodeStartException("Failed at " + doing + ": " + cause.getMessage(), failed);
        } catch (TimeoutException late) {
            throw new NodeStartException(
                    "Gave up " + doing + " after " + STEP_MAX.toSeconds() + " s; see the log.", late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NodeStartException("Interrupted at " + doing + ".", interrupted);
        }
    }
}
