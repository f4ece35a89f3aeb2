package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.typed.javadsl.ActorSource;

/** The runs under Cluster Sharding. */
public final class ShardedRuns implements Runs {
    private final ClusterSharding sharding;
    private final RunEnvironment environment;
    private final Duration askTimeout;
    private final Duration watchInterval;
    private final int liveRunsMax;

    /** Starts the shard region of this node; runs that were live come back with it. */
    public static ShardedRuns start(ActorSystem<?> system, RunEnvironment environment) {
        ClusterSharding sharding = ClusterSharding.get(system);
        sharding.init(Entity.of(
                        Run.TYPE_KEY,
                        context -> Run.create(new RunId(context.getEntityId()), environment, context.getShard()))
                .withStopMessage(Run.Leave.INSTANCE));
        return new ShardedRuns(system, sharding, environment);
    }

    private ShardedRuns(ActorSystem<?> system, ClusterSharding sharding, RunEnvironment environment) {
        this.sharding = sharding;
        this.environment = environment;
        var config = system.settings().config().getConfig("vivarium.run");
        this.askTimeout = config.getDuration("ask-timeout");
        this.watchInterval = config.getDuration("watch-interval");
        this.liveRunsMax = config.getInt("live-max");
    }

    @Override
    public CompletionStage<SubmitReply> submit(RunId id, RunSpec spec, Blob submission) {
        if (environment.drain().isDraining()) {
            return CompletableFuture.completedStage(new SubmitReply.Draining());
        }
        if (environment.live().count() >= liveRunsMax) {
            return CompletableFuture.completedStage(
                    new SubmitReply.Full(environment.live().count()));
        }
        CompletionStage<Run.SubmitAnswer> answer = entity(id)
                .ask((ActorRef<Run.SubmitAnswer> replyTo) -> new Run.Submit(spec, submission, replyTo), askTimeout);
        return durable(answer).thenApply(given -> switch (given.verdict()) {
            case ACCEPTED -> new SubmitReply.Accepted(given.state());
            case ACCEPTED_BEFORE -> new SubmitReply.AcceptedBefore(given.state());
            case OTHER_SUBMISSION -> new SubmitReply.OtherSubmission(id);
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
