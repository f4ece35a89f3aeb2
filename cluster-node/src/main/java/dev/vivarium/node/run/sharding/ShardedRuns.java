package dev.vivarium.node.run.sharding;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.CapacityAllocation;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.node.placement.TenantLoad;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.CancelAnswer;
import dev.vivarium.node.run.Placed;
import dev.vivarium.node.run.RenewAnswer;
import dev.vivarium.node.run.Renewal;
import dev.vivarium.node.run.Run;
import dev.vivarium.node.run.RunEnvironment;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.cluster.sharding.ShardRegion;
import org.apache.pekko.cluster.sharding.typed.HashCodeMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.pattern.Patterns;
import org.apache.pekko.stream.javadsl.Source;

/** The runs under Cluster Sharding. */
public final class ShardedRuns implements Runs {
    private static final Duration POSITION_MAX = Duration.ofSeconds(2);
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(100);

    private final ClusterSharding sharding;
    private final RunEnvironment environment;
    private final Duration askTimeout;
    private final Duration watchInterval;
    private final NodeLoads nodeLoads;
    private final RunPlacement placement;
    private final Set<String> allShards;
    private final String ownAddress;
    private final Address ownRegion;
    private final org.apache.pekko.actor.ActorRef region;
    private final org.apache.pekko.actor.ActorSystem system;

    /** Starts this node's shard region; live runs of its shards are recovered with it. */
    public static ShardedRuns start(ActorSystem<?> system, RunEnvironment environment) {
        ClusterSharding sharding = ClusterSharding.get(system);
        NodeLoads nodeLoads = environment.nodeLoads();
        String own = Cluster.get(system).selfMember().address().toString();
        Function<org.apache.pekko.actor.ActorRef, String> addressOf =
                region -> region.path().address().hasLocalScope()
                        ? own
                        : region.path().address().toString();
        int count = system.settings().config().getInt("pekko.cluster.sharding.number-of-shards");
        HashCodeMessageExtractor<Run.Command> shards = new HashCodeMessageExtractor<>(count);
        ReleasePoints releasePoints = new ReleasePoints(system, addressOf);
        RememberedSource.set(system, environment.sandbox().store().rememberedRuns());
        sharding.init(Entity.of(
                        Run.TYPE_KEY,
                        context -> Run.create(
                                new RunId(context.getEntityId()),
                                environment,
                                context.getShard(),
                                shards.shardId(context.getEntityId())))
                .withSettings(RememberedShards.settings(system))
                .withMessageExtractor(shards)
                .withAllocationStrategy(
                        new CapacityAllocation(region -> nodeLoads.of(addressOf.apply(region)), releasePoints))
                .withStopMessage(Run.Leave.INSTANCE));
        ShardedRuns runs = new ShardedRuns(system, sharding, environment, nodeLoads, own, shards, count);
        system.systemActorOf(
                LoadReporter.create(
                        environment,
                        nodeLoads,
                        releasePoints,
                        runs.opening(system),
                        system.settings().config().getDuration("vivarium.run.load-interval")),
                "vivarium-load",
                Props.empty());
        return runs;
    }

    /**
     * Completes when the shard coordinator has registered this node's region, so that runs can be created here and
     * elsewhere; fails when that takes too long. Until then the coordinator may be busy with nodes that do not listen
     * yet, and submissions wait with it.
     */
    public CompletionStage<Done> takenIn(Duration atMost) {
        return Patterns.retry(
                () -> Patterns.ask(region, ShardRegion.getCurrentRegionsInstance(), atMost)
                        .thenApply(answer -> {
                            if (((ShardRegion.CurrentRegions) answer)
                                    .getRegions()
                                    .contains(ownRegion)) {
                                return Done.getInstance();
                            }
                            throw new IllegalStateException("The coordinator of shards does not know this node yet.");
                        }),
                Math.toIntExact(atMost.dividedBy(LOOK_INTERVAL)),
                LOOK_INTERVAL,
                system);
    }

    /** This node's region as a classic actor, which answers queries that the typed one does not. */
    static org.apache.pekko.actor.ActorRef region(ActorSystem<?> system) {
        return org.apache.pekko.cluster.sharding.ClusterSharding.get(Adapter.toClassic(system))
                .shardRegion(Run.TYPE_KEY.name());
    }

    private ShardedRuns(
            ActorSystem<?> system,
            ClusterSharding sharding,
            RunEnvironment environment,
            NodeLoads nodeLoads,
            String ownAddress,
            HashCodeMessageExtractor<Run.Command> shards,
            int count) {
        this.sharding = sharding;
        this.environment = environment;
        var config = system.settings().config().getConfig("vivarium.run");
        this.askTimeout = config.getDuration("ask-timeout");
        this.watchInterval = config.getDuration("watch-interval");
        this.nodeLoads = nodeLoads;
        this.ownAddress = ownAddress;
        this.ownRegion = Cluster.get(system).selfMember().address();
        this.system = Adapter.toClassic(system);
        this.region = region(system);
        this.allShards = IntStream.range(0, count).mapToObj(Integer::toString).collect(Collectors.toUnmodifiableSet());
        this.placement = new RunPlacement(
                environment.slots(),
                environment.drain(),
                environment.sandbox().clock(),
                nodeLoads,
                ownAddress,
                allShards,
                id -> shards.shardId(id.value()));
    }

    @Override
    public Placed place(Capacity needs) {
        return placement.place(needs);
    }

    @Override
    public Placed placeNamed(RunId id, Capacity needs) {
        return placement.placeNamed(id, needs);
    }

    @Override
    public Optional<QuotaExcess> excess(Tenant tenant, TenantUse asked) {
        return environment.slots().excess(tenant, asked);
    }

    @Override
    public Optional<QuotaExcess> reserve(Tenant tenant, TenantUse asked) {
        return environment.slots().reserve(tenant, asked);
    }

    @Override
    public void unreserve(Tenant tenant, TenantUse reserved) {
        environment.slots().discharge(tenant, reserved);
    }

    @Override
    public TenantUse usedBy(Tenant tenant) {
        return environment.slots().usedInCluster(tenant);
    }

    @Override
    public Set<Tenant> tenants() {
        Set<Tenant> all = new HashSet<>(nodeLoads.tenants());
        environment.slots().tenants().forEach(load -> all.add(load.tenant()));
        return all;
    }

    private ShardOpening opening(ActorSystem<?> system) {
        Cluster cluster = Cluster.get(system);
        return new ShardOpening(
                ownAddress,
                () -> cluster.state().members().size(),
                nodeLoads,
                allShards,
                shard -> placement.nameIn(Set.of(shard)),
                id -> entity(id).tell(new Run.AskPosition(system.ignoreRef())),
                environment.sandbox().clock()::nanos);
    }

    @Override
    public CompletionStage<SubmitAnswer> submit(Placed.Room place, Caller caller, RunSpec spec, Digest submission) {
        Instant now = environment.sandbox().clock().now();
        Instant until = caller.until(now, askTimeout);
        if (!until.isAfter(now)) {
            return CompletableFuture.completedStage(new SubmitAnswer.NotDurable());
        }
        placement.sent(
                place, new TenantLoad(spec.tenant(), TenantUse.of(spec.limits(), spec.egress(), spec.artifacts())));
        if (placement.isBornHere(place)) {
            environment.sandbox().store().willBegin(place.id());
        }
        CompletionStage<SubmitAnswer> answer = entity(place.id())
                .ask(
                        (ActorRef<SubmitAnswer> replyTo) -> new Run.Submit(
                                caller.principal(),
                                caller.origin(),
                                spec,
                                submission,
                                place.whenFull(),
                                until,
                                replyTo),
                        Duration.between(now, until));
        // On the thread that has the answer: Pekko's stages would start another one for it.
        return answer.thenApplyAsync(
                        given -> {
                            if (given instanceof SubmitAnswer.Full) {
                                placement.foundFull(place);
                            }
                            return given;
                        },
                        Runnable::run)
                .exceptionally(failure -> {
                    // A missing answer says nothing about what was made durable.
                    if (StageFailure.cause(failure) instanceof TimeoutException) {
                        return new SubmitAnswer.NotDurable();
                    }
                    throw new CompletionException(StageFailure.cause(failure));
                });
    }

    @Override
    public CompletionStage<Optional<QueueView>> position(RunId id) {
        CompletionStage<Run.PositionAnswer> answer =
                entity(id).ask((ActorRef<Run.PositionAnswer> replyTo) -> new Run.AskPosition(replyTo), POSITION_MAX);
        return answer.handle((given, failure) -> failure == null ? given.position() : Optional.empty());
    }

    @Override
    public List<NodeView> nodes() {
        return nodeLoads.loads().stream()
                .map(ShardedRuns::view)
                .sorted(Comparator.comparing(NodeView::name))
                .toList();
    }

    private static NodeView view(NodeLoad load) {
        Address address = AddressFromURIString.parse(load.address());
        return new NodeView(
                load.name(),
                address.getHost().orElse("") + ":" + address.getPort().orElse(0),
                load.intake(),
                room(load.capacity()),
                room(load.taken()),
                load.waiting(),
                load.waitingMax(),
                load.shards().size(),
                load.pool());
    }

    private static NodeView.Room room(Capacity capacity) {
        return new NodeView.Room(
                capacity.runs(),
                limited(capacity.memoryBytes()),
                limited(capacity.millicores()),
                limited(capacity.processes()),
                limited(capacity.openFiles()),
                limited(capacity.diskBytes()));
    }

    private static OptionalLong limited(long amount) {
        return amount == Capacity.UNLIMITED ? OptionalLong.empty() : OptionalLong.of(amount);
    }

    @Override
    public CompletionStage<CancelAnswer> cancel(RunId id, Caller caller) {
        Instant now = environment.sandbox().clock().now();
        Duration wait = Duration.between(now, caller.until(now, askTimeout));
        if (wait.isNegative() || wait.isZero()) {
            return durable(CompletableFuture.failedStage(new TimeoutException("The caller's deadline has passed.")));
        }
        return durable(entity(id)
                .ask(
                        (ActorRef<CancelAnswer> replyTo) ->
                                new Run.Cancel(caller.principal(), caller.origin(), replyTo),
                        wait));
    }

    @Override
    public CompletionStage<RenewAnswer> renew(RunId id, Caller caller, Renewal renewal) {
        Instant now = environment.sandbox().clock().now();
        Instant until = caller.until(now, askTimeout);
        if (!until.isAfter(now)) {
            return durable(CompletableFuture.failedStage(new TimeoutException("The caller's deadline has passed.")));
        }
        return durable(entity(id)
                .ask(
                        (ActorRef<RenewAnswer> replyTo) ->
                                new Run.Renew(caller.principal(), caller.origin(), renewal, until, replyTo),
                        Duration.between(now, until)));
    }

    @Override
    public Source<Progress, NotUsed> progress(RunId id, Interest interest) {
        EntityRef<Run.Command> run = entity(id);
        return Source.fromGraph(new WatchedProgress(run::tell, interest, watchInterval, environment.pushBytesMax()));
    }

    private EntityRef<Run.Command> entity(RunId id) {
        return sharding.entityRefFor(Run.TYPE_KEY, id.value());
    }

    /** A late answer says nothing about what was made durable. */
    private static <T> CompletionStage<T> durable(CompletionStage<T> answer) {
        return answer.exceptionally(failure -> {
            Throwable cause = StageFailure.cause(failure);
            if (cause instanceof TimeoutException) {
                throw new StoreUnavailable("Nothing could be made durable in time; try again.", cause);
            }
            throw new CompletionException(cause);
        });
    }
}
