package dev.vivarium.node.joining;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.membership.ClusterSettings;
import dev.vivarium.node.membership.Membership;
import dev.vivarium.persistence.store.StoreOwnership;
import dev.vivarium.persistence.store.StoreOwnership.Change;
import dev.vivarium.persistence.store.StoreOwnership.Hold;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * Ensures that only one cluster of nodes runs a store's runs. A starting node waits here until its cluster owns the
 * store; if another cluster owns it, the node does not start, or ends as if its cluster had downed it. The oldest node
 * also keeps the heartbeat going. A child of the node's guardian; stops with it.
 */
public final class StoreOwnershipKeeper extends AbstractBehavior<StoreOwnershipKeeper.Command> {
    private static final Duration BEAT = Duration.ofSeconds(1);
    /** The poll interval of a starting node. */
    private static final Duration EAGER = Duration.ofMillis(250);

    private final Cluster cluster;
    private final StoreOwnership hold;
    private final ClusterSettings settings;
    private final NodeClock clock;
    private final CompletableFuture<Done> held;
    private final TimerScheduler<Command> timers;
    private final CoordinatedShutdown shutdown;
    /** Whether this is the cluster's only node. */
    private final AtomicBoolean isLast = new AtomicBoolean();

    private StoreOwnershipWatch watch;

    /** Its commands. */
    sealed interface Command {}

    private enum Look implements Command {
        INSTANCE
    }

    private record Found(Optional<Hold> hold) implements Command {}

    private record Changed(Optional<Change> change) implements Command {}

    /**
     * Takes ownership of the store for the node's cluster and keeps it.
     *
     * @param held completes when the node's cluster owns the store, or fails when another one does
     */
    public static Behavior<Command> create(
            StoreOwnership hold, ClusterSettings settings, NodeClock clock, CompletableFuture<Done> held) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> new StoreOwnershipKeeper(context, timers, hold, settings, clock, held)));
    }

    private StoreOwnershipKeeper(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            StoreOwnership hold,
            ClusterSettings settings,
            NodeClock clock,
            CompletableFuture<Done> held) {
        super(context);
        this.cluster = Cluster.get(context.getSystem());
        this.hold = hold;
        this.settings = settings;
        this.clock = clock;
        this.held = held;
        this.timers = timers;
        this.watch = StoreOwnershipWatch.of(Membership.lifeOf(cluster.selfMember()));
        this.shutdown = CoordinatedShutdown.get(context.getSystem());
        String self = watch.self();
        shutdown.addTask(
                CoordinatedShutdown.PhaseClusterExitingDone(), "release the store", () -> release(hold, self, isLast));
        context.getSelf().tell(Look.INSTANCE);
    }

    /**
     * Releases the store when the last node of a cluster ends in order, so that the next cluster need not wait for the
     * heartbeat to time out.
     */
    private static CompletionStage<Done> release(StoreOwnership hold, String self, AtomicBoolean isLast) {
        if (!isLast.get()) {
            return CompletableFuture.completedStage(Done.getInstance());
        }
        return hold.current()
                .thenCompose(found -> found.holder().equals(self)
                        ? hold.change(found, found.released())
                        : CompletableFuture.completedStage(Change.OVERTAKEN))
                .handle((change, failure) -> Done.getInstance());
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Found.class, this::onFound)
                .onMessage(Changed.class, this::onChanged)
                .build();
    }

    private Behavior<Command> onLook(Look look) {
        if (shutdown.getShutdownReason().isPresent()) {
            return Behaviors.stopped();
        }
        // A store that is unavailable says nothing about its owner.
        getContext().pipeToSelf(hold.current(), (found, failure) -> new Found(Optional.ofNullable(found)));
        return this;
    }

    private Behavior<Command> onFound(Found found) {
        if (found.hold.isEmpty()) {
            return lookAgain();
        }
        Hold current = found.hold.get();
        Membership.Company company = Membership.company(cluster.state(), cluster.selfMember());
        isLast.set(company.members().size() == 1);
        StoreOwnershipWatch.Look look = watch.look(current, company, clock.nanos());
        watch = look.next();
        return switch (look.verdict()) {
            case OURS -> ours();
            case WAIT -> lookAgain();
            case TAKE -> {
                getContext()
                        .pipeToSelf(
                                hold.change(current, current.takenBy(watch.self())),
                                (change, failure) -> new Changed(Optional.ofNullable(change)));
                yield this;
            }
            case STRANGERS -> strangers(current);
        };
    }

    private Behavior<Command> onChanged(Changed changed) {
        return changed.change.equals(Optional.of(Change.MADE)) ? ours() : lookAgain();
    }

    private Behavior<Command> ours() {
        held.complete(Done.getInstance());
        return lookAgain();
    }

    private Behavior<Command> strangers(Hold current) {
        String reason = objection(current);
        if (!held.completeExceptionally(new NodeStartException(reason))) {
            getContext().getLog().error("{} This node ends.", reason);
            shutdown.run(CoordinatedShutdown.clusterDowningReason());
        }
        return Behaviors.empty();
    }

    private String objection(Hold current) {
        String address = current.holder().replaceAll("#.*", "");
        String remedy =
                switch (settings.formation()) {
                    case ALONE -> "Give this one its own store, or have it join with vivarium.cluster.formation.";
                    case SEEDS -> "Give both the same vivarium.cluster.seeds, and check that they reach each other.";
                    case BOOTSTRAP -> "Check that discovery finds both and that they reach each other.";
                };
        return "The store belongs to a live cluster that this node is not in; its oldest node is at " + address
                + ". Two clusters would run the same runs twice. " + remedy;
    }

    private Behavior<Command> lookAgain() {
        timers.startSingleTimer(Look.INSTANCE, held.isDone() ? BEAT : EAGER);
        return this;
    }
}
