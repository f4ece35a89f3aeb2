package dev.vivarium.node.run;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.placement.CapacityAllocation;
import dev.vivarium.node.placement.LoadBoard;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.Placement;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.cluster.sharding.typed.HashCodeMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.typed.javadsl.ActorSource;

/** The runs under Cluster Sharding. */
public final class ShardedRuns implements Runs {
    /** More than enough to meet one shard of some hundreds by chance; beyond it any will do. */
    private static final int NAMES_MAX = 5_000;

    private final ClusterSharding sharding;
    private final RunEnvironment environment;
    private final Duration askTimeout;
    private final Duration watchInterval;
    private final LoadBoard board;
    private final int liveRunsMax;
    private final HashCodeMessageExtractor<Run.Command> shards;
    private final Set<String> allShards;
    private final String ownAddress;

    /** Starts the shard region of this node; runs that were live come back with it. */
    public static ShardedRuns start(ActorSystem<?> system, RunEnvironment environment) {
        ClusterSharding sharding = ClusterSharding.get(system);
        LoadBoard board = new LoadBoard(environment.sandbox().clock()::nanos);
        String own = Cluster.get(system).selfMember().address().toString();
        sharding.init(Entity.of(
                        Run.TYPE_KEY,
                        context -> Run.create(new RunId(context.getEntityId()), environment, context.getShard()))
                .withAllocationStrategy(new CapacityAllocation(region -> board.of(
                        region.path().address().hasLocalScope()
                                ? own
                                : region.path().address().toString())))
                .withStopMessage(Run.Leave.INSTANCE));
        system.systemActorOf(
                LoadReporter.create(
                        environment, board, system.settings().config().getDuration("vivarium.run.load-interval")),
                "vivarium-load",
                Props.empty());
        return new ShardedRuns(system, sharding, environment, board, own);
    }

    private ShardedRuns(
            ActorSystem<?> system,
            ClusterSharding sharding,
            RunEnvironment environment,
            LoadBoard board,
            String ownAddress) {
        this.sharding = sharding;
        this.environment = environment;
        var config = system.settings().config().getConfig("vivarium.run");
        this.askTimeout = config.getDuration("ask-timeout");
        this.watchInterval = config.getDuration("watch-interval");
        this.board = board;
        this.liveRunsMax = config.getInt("live-max");
        this.ownAddress = ownAddress;
        int count = system.settings().config().getInt("pekko.cluster.sharding.number-of-shards");
        this.shards = new HashCodeMessageExtractor<>(count);
        this.allShards = IntStream.range(0, count).mapToObj(Integer::toString).collect(Collectors.toUnmodifiableSet());
    }

    /** The name says where: names are made until one has a shard that is wanted, which takes a handful. */
    @Override
    public RunId newId() {
        Set<String> wanted = Placement.shardsForNewRun(board.loads(), allShards);
        RunId id = ulid();
        for (int tries = 1; tries < NAMES_MAX && !wanted.isEmpty() && !wanted.contains(shard(id)); tries++) {
            id = ulid();
        }
        return id;
    }

    private static RunId ulid() {
        return new RunId(UlidCreator.getUlid().toLowerCase());
    }

    private String shard(RunId id) {
        return shards.shardId(id.value());
    }

    /** Of this node the truth is known, of others what they told last. */
    private Optional<Integer> liveWhereFull(RunId id) {
        Optional<NodeLoad> holder = board.holding(shard(id));
        if (holder.isEmpty() || holder.get().address().equals(ownAddress)) {
            return environment.live().isFull() ? Optional.of(environment.live().count()) : Optional.empty();
        }
        return holder.filter(load -> load.live() >= load.liveMax()).map(NodeLoad::live);
    }

    @Override
    public CompletionStage<SubmitReply> submit(RunId id, RunSpec spec, Blob submission) {
        if (environment.drain().isDraining()) {
            return CompletableFuture.completedStage(new SubmitReply.Draining());
        }
        Optional<Integer> full = liveWhereFull(id);
        if (full.isPresent()) {
            return CompletableFuture.completedStage(new SubmitReply.Full(full.get()));
        }
        board.placedIn(shard(id));
        CompletionStage<Run.SubmitAnswer> answer = entity(id)
                .ask((ActorRef<Run.SubmitAnswer> replyTo) -> new Run.Submit(spec, submission, replyTo), askTimeout);
        return durable(answer).thenApply(given -> switch (given.verdict()) {
            case ACCEPTED -> new SubmitReply.Accepted(given.state().orElseThrow());
            case ACCEPTED_BEFORE -> new SubmitReply.AcceptedBefore(given.state().orElseThrow());
            case OTHER_SUBMISSION -> new SubmitReply.OtherSubmission(id);
            case NO_ROOM -> {
                board.fullAt(shard(id));
                yield new SubmitReply.Full(
                        board.holding(shard(id)).map(NodeLoad::live).orElse(liveRunsMax));
            }
        });
    }

    @Override
    public CompletionStage<CancelReply> cancel(RunId id) {
        CompletionStage<Run.CancelAnswer> answer =
                entity(id).ask((ActorRef<Run.CancelAnswer> replyTo) -> new Run.Cancel(replyTo), askTimeout);
        return durable(answer)
                .thenApply(given ->
                        given.state().<CancelReply>map(CancelReply.Noted::new).orElseGet(CancelReply.NoSuchRun::new));
    }

    @Override
    public Source<Progress, NotUsed> progress(RunId id) {
        return Source.fromMaterializer((materializer, attributes) -> {
                    Pair<ActorRef<Progress>, Source<Progress, NotUsed>> pushed =
                            NEWEST_PROGRESS.preMaterialize(materializer);
                    Run.Watch watch = new Run.Watch(pushed.first());
                    // Asking again finds the run wherever it has moved or come back to since.
                    Source<Progress, ?> asking = Source.tick(Duration.ZERO, watchInterval, watch)
                            .mapConcat(again -> {
                                entity(id).tell(again);
                                return List.<Progress>of();
                            });
                    return pushed.second().merge(asking, true);
                })
                .mapMaterializedValue(value -> NotUsed.getInstance())
                .takeWhile(progress -> progress.life() == Progress.Life.LIVE, true);
    }

    /** One place in which the newest progress wins: a slow reader costs nothing, and can read all the rest later. */
    private static final Source<Progress, ActorRef<Progress>> NEWEST_PROGRESS =
            ActorSource.actorRef(progress -> false, failure -> Optional.empty(), 1, OverflowStrategy.dropHead());

    private EntityRef<Run.Command> entity(RunId id) {
        return sharding.entityRefFor(Run.TYPE_KEY, id.value());
    }

    /** An answer that does not come in time says nothing about what was made durable. */
    private static <T> CompletionStage<T> durable(CompletionStage<T> answer) {
        return answer.exceptionally(failure -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            if (cause instanceof TimeoutException) {
                throw new StoreUnavailable("Nothing could be made durable in time; try again.", cause);
            }
            throw new CompletionException(cause);
        });
    }
}
