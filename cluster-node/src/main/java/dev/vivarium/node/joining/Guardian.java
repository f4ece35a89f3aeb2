package dev.vivarium.node.joining;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.JournaledActs;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.lease.LeaseKeeper;
import dev.vivarium.node.membership.ClusterSettings;
import dev.vivarium.node.membership.CrashWatch;
import dev.vivarium.node.membership.Fencing;
import dev.vivarium.node.membership.Membership;
import dev.vivarium.node.membership.PortProbe;
import dev.vivarium.node.sandbox.KernelMemoryGuard;
import dev.vivarium.node.sandbox.LiveSandboxes;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.NodeSandboxes;
import dev.vivarium.node.sandbox.Reaper;
import dev.vivarium.node.sandbox.TakersGuard;
import dev.vivarium.persistence.store.StoreOwnership;
import dev.vivarium.protocol.act.Act;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.pekko.Done;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.ClusterEvent.MemberRemoved;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.cluster.typed.SelfUp;
import org.apache.pekko.cluster.typed.Subscribe;
import org.apache.pekko.remote.RemoteActorRefProvider;
import scala.Option;

/**
 * The root of a node's actors: starts the keeper of its lease, joins the cluster, checks that the node's name is unique
 * there, and then starts the reaper and the watch for crashed peers. Stops with the system.
 */
public final class Guardian {
    private static final Duration NAME_RETRY = Duration.ofMillis(250);

    private Guardian() {}

    /** The guardian's commands. */
    public sealed interface Command {}

    /** Join the cluster, unless something else makes the node join. */
    public record Enter() implements Command {}

    /** Start the reaper, the guards of kernel memory and open files and, if enabled, the watch for crashed peers. */
    public record Watch(
            NodeSandboxes sandboxes, LiveSandboxes live, Duration sweepInterval, long kernelMemoryGrowthMaxBytes)
            implements Command {}

    /**
     * Remove a member, since its certificate is revoked: nodes read that at different times, and while some speak to it and
     * others do not, the resolver would take one of those for lost.
     *
     * @param place its host:port
     */
    public record Expel(String place) implements Command {}

    /** Leave as one that the cluster has removed, since this node's own certificate is revoked. */
    public record Resign() implements Command {}

    private record Up() implements Command {}

    private record Removed(MemberRemoved event) implements Command {}

    /** A node's joining: its seeds, and the callback on success. */
    private record Entry(
            ClusterSettings settings, NodeClock clock, Optional<StoreOwnership> hold, CompletableFuture<Done> joined) {}

    private enum CheckName implements Command {
        INSTANCE
    }

    /**
     * A guardian that joins as configured, and reports when it has.
     *
     * @param hold the store's ownership, if the store can be shared
     */
    public static Behavior<Command> create(
            ClusterSettings settings, Fencing fencing, Optional<StoreOwnership> hold, CompletableFuture<Done> joined) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            Cluster cluster = Cluster.get(context.getSystem());
            Entry entry = new Entry(settings, fencing.clock(), hold, joined);
            Acts acts = new JournaledActs(context.getSystem(), settings.nodeName(), Clock.systemUTC());
            ActorRef<SelfUp> up = context.messageAdapter(SelfUp.class, event -> new Up());
            cluster.subscriptions().tell(Subscribe.create(up, SelfUp.class));
            ActorRef<MemberRemoved> removed = context.messageAdapter(MemberRemoved.class, Removed::new);
            cluster.subscriptions().tell(Subscribe.create(removed, MemberRemoved.class));
            if (!settings.isAlone()) {
                context.spawn(
                        LeaseKeeper.create(
                                fencing.lease(), fencing.takeoverWait(), settings.leaseLength(), fencing.clock()),
                        LeaseKeeper.NAME,
                        DispatcherSelector.fromConfig("pekko.actor.internal-dispatcher"));
            }
            return Behaviors.receive(Command.class)
                    .onMessage(Enter.class, enter -> join(context, cluster, settings))
                    .onMessage(Up.class, event -> checkName(context, timers, entry))
                    .onMessage(CheckName.class, again -> checkName(context, timers, entry))
                    .onMessage(Watch.class, watch -> watch(context, cluster, settings, fencing.lease(), acts, watch))
                    .onMessage(Expel.class, expelled -> expel(context, cluster, expelled.place))
                    .onMessage(Resign.class, resigned -> {
                        cluster.manager().tell(new Down(cluster.selfMember().address()));
                        return Behaviors.same();
                    })
                    .onMessage(Removed.class, removal -> removed(context, cluster, acts, removal.event))
                    .build();
        }));
    }

    private static Behavior<Command> join(ActorContext<Command> context, Cluster cluster, ClusterSettings settings) {
        switch (settings.formation()) {
            case ALONE -> cluster.manager()
                    .tell(Join.create(cluster.selfMember().address()));
            case SEEDS -> cluster.manager().tell(new JoinSeedNodes(settings.seeds()));
            case BOOTSTRAP -> context.getLog().debug("Cluster Bootstrap joins this node.");
        }
        return Behaviors.same();
    }

    /** An unreachable namesake may be this node's previous incarnation, which will be gone soon. */
    private static Behavior<Command> checkName(
            ActorContext<Command> context, TimerScheduler<Command> timers, Entry entry) {
        Cluster cluster = Cluster.get(context.getSystem());
        ClusterSettings settings = entry.settings;
        Optional<Member> namesake = Membership.namesake(cluster.state(), cluster.selfMember(), settings.nameRole());
        if (namesake.isEmpty()) {
            entry.hold.ifPresentOrElse(
                    hold -> context.spawn(
                            StoreOwnershipKeeper.create(hold, settings, entry.clock, entry.joined), "hold"),
                    () -> entry.joined.complete(Done.getInstance()));
        } else if (cluster.state().getUnreachable().contains(namesake.get())) {
            timers.startSingleTimer(CheckName.INSTANCE, NAME_RETRY);
        } else {
            entry.joined.completeExceptionally(new NodeStartException("Another node of the cluster, at "
                    + Membership.placeOf(namesake.get().address()) + ", has the name \"" + settings.nodeName()
                    + "\": give this one its own name with vivarium.cluster.node-name."));
        }
        return Behaviors.same();
    }

    private static Behavior<Command> removed(
            ActorContext<Command> context, Cluster cluster, Acts acts, MemberRemoved event) {
        String address = Membership.placeOf(event.member().address());
        Act.Removal removal = event.previousStatus() == MemberStatus.down() ? Act.Removal.GIVEN_UP : Act.Removal.LEFT;
        switch (removal) {
            case GIVEN_UP -> context.getLog()
                    .warn("The node at {} is no member any more: the cluster gave it up.", address);
            case LEFT -> context.getLog().info("The node at {} is no member any more: it has left.", address);
        }
        // One of those that are left is enough.
        if (!event.member().uniqueAddress().equals(cluster.selfMember().uniqueAddress())
                && Membership.company(cluster.state(), cluster.selfMember()).speaksForAll()) {
            String name = Membership.nameOf(event.member()).orElse("");
            acts.note((at, node) -> new Act.NodeRemoved(at, node, name, address, removal));
        }
        return Behaviors.same();
    }

    private static Behavior<Command> watch(
            ActorContext<Command> context,
            Cluster cluster,
            ClusterSettings settings,
            NodeLease lease,
            Acts acts,
            Watch watch) {
        Reaper.Members members = () -> !settings.isAlone() && lease.isFresh()
                ? Optional.of(Membership.names(cluster.state()))
                : Optional.empty();
        context.spawn(Reaper.create(watch.sandboxes, watch.live, members, acts, watch.sweepInterval), "reaper");
        context.spawn(
                KernelMemoryGuard.create(watch.sandboxes, watch.live, watch.kernelMemoryGrowthMaxBytes),
                "kernel-memory");
        context.spawn(TakersGuard.ofOpenFiles(watch.sandboxes, watch.live), "open-files");
        context.spawn(TakersGuard.ofSocketMemory(watch.sandboxes, watch.live), "socket-memory");
        if (settings.watchesForCrashes()) {
            context.spawn(crashWatch(context, cluster, settings.crashProbe()), "crashes");
        }
        return Behaviors.same();
    }

    private static Behavior<Command> expel(ActorContext<Command> context, Cluster cluster, String place) {
        Membership.peers(cluster.state(), cluster.selfMember()).at(place).ifPresent(peer -> {
            context.getLog().warn("The node at {} is removed: its certificate is revoked.", place);
            giveUp(context, cluster, peer, "its certificate is revoked");
        });
        return Behaviors.same();
    }

    /** A node that is only down stays in the cluster until its heartbeats are missed; a quarantined one does not. */
    private static void giveUp(ActorContext<Command> context, Cluster cluster, UniqueAddress peer, String reason) {
        RemoteActorRefProvider remote =
                (RemoteActorRefProvider) ((ExtendedActorSystem) Adapter.toClassic(context.getSystem())).provider();
        remote.quarantine(peer.address(), Option.apply(peer.longUid()), reason);
        cluster.manager().tell(new Down(peer.address()));
    }

    private static Behavior<CrashWatch.Command> crashWatch(
            ActorContext<Command> context, Cluster cluster, Duration interval) {
        Executor blocking = context.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
        return CrashWatch.create(
                interval,
                () -> Membership.peers(cluster.state(), cluster.selfMember()),
                peer -> CompletableFuture.supplyAsync(
                        () -> PortProbe.ask(
                                peer.address().getHost().orElseThrow(),
                                peer.address().getPort().orElseThrow(),
                                interval),
                        blocking),
                peer -> giveUp(context, cluster, peer, "nothing listens there any more"));
    }
}
