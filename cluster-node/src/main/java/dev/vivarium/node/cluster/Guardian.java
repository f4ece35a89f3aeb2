package dev.vivarium.node.cluster;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.sandbox.LiveSandboxes;
import dev.vivarium.node.sandbox.NodeClock;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.Reaper;
import dev.vivarium.persistence.hold.ClusterHold;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.cluster.typed.SelfUp;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * The root of a node's actors: joins the cluster, makes sure that nobody else there has the node's name, and then holds
 * the reaper and the keeper of the lease. Stops with the system.
 */
final class Guardian {
    private static final Duration NAME_RETRY = Duration.ofMillis(250);

    private Guardian() {}

    /** What the guardian understands. */
    sealed interface Command {}

    /** Starts the reaper and, where there is a lease to keep, its keeper. */
    record Watch(SandboxDriver driver, LiveSandboxes live, NodeLease lease, Duration sweepInterval, Duration probation)
            implements Command {}

    private record Up() implements Command {}

    /** A node's way in: whom it asks, and what is told when it has got there. */
    private record Entry(ClusterSettings settings, Optional<ClusterHold> hold, CompletableFuture<Done> joined) {}

    private enum CheckName implements Command {
        INSTANCE
    }

    /**
     * A guardian that joins as the settings say, and says when it has.
     *
     * @param hold who holds the store, where others may use it
     */
    static Behavior<Command> create(
            ClusterSettings settings, Optional<ClusterHold> hold, CompletableFuture<Done> joined) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            Cluster cluster = Cluster.get(context.getSystem());
            Entry entry = new Entry(settings, hold, joined);
            ActorRef<SelfUp> up = context.messageAdapter(SelfUp.class, event -> new Up());
            cluster.subscriptions().tell(Subscribe.create(up, SelfUp.class));
            switch (settings.formation()) {
                case ALONE -> cluster.manager()
                        .tell(Join.create(cluster.selfMember().address()));
                case SEEDS -> cluster.manager().tell(new JoinSeedNodes(settings.seeds()));
                case BOOTSTRAP -> context.getLog().debug("Cluster Bootstrap joins this node.");
            }
            return Behaviors.receive(Command.class)
                    .onMessage(Up.class, event -> checkName(context, timers, entry))
                    .onMessage(CheckName.class, again -> checkName(context, timers, entry))
                    .onMessage(Watch.class, watch -> watch(context, cluster, settings, watch))
                    .build();
        }));
    }

    /** A namesake that cannot be reached may be this node's own life before, and is gone soon. */
    private static Behavior<Command> checkName(
            ActorContext<Command> context, TimerScheduler<Command> timers, Entry entry) {
        Cluster cluster = Cluster.get(context.getSystem());
        ClusterSettings settings = entry.settings;
        Optional<Member> namesake = Membership.namesake(cluster.state(), cluster.selfMember(), settings.nameRole());
        if (namesake.isEmpty()) {
            entry.hold.ifPresentOrElse(
                    hold -> context.spawn(HoldKeeper.create(hold, settings, entry.joined), "hold"),
                    () -> entry.joined.complete(Done.getInstance()));
        } else if (cluster.state().getUnreachable().contains(namesake.get())) {
            timers.startSingleTimer(CheckName.INSTANCE, NAME_RETRY);
        } else {
            entry.joined.completeExceptionally(new NodeStartException("Another node of the cluster, at "
                    + namesake.get().address().hostPort() + ", has the name \"" + settings.nodeName()
                    + "\": give this one its own with vivarium.cluster.node-name."));
        }
        return Behaviors.same();
    }

    private static Behavior<Command> watch(
            ActorContext<Command> context, Cluster cluster, ClusterSettings settings, Watch watch) {
        boolean alone = settings.isAlone();
        Reaper.Members members = () ->
                !alone && watch.lease.isFresh() ? Optional.of(Membership.names(cluster.state())) : Optional.empty();
        context.spawn(Reaper.create(watch.driver, watch.live, members, watch.sweepInterval), "reaper");
        if (!alone) {
            context.spawn(
                    LeaseKeeper.create(watch.lease, settings.leaseLength(), watch.probation, NodeClock.system()),
                    "lease");
        }
        return Behaviors.same();
    }
}
