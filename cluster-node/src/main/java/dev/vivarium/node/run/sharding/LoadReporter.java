package dev.vivarium.node.run.sharding;

import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.ShardRelease;
import dev.vivarium.node.pool.WarmPool;
import dev.vivarium.node.run.RunEnvironment;
import dev.vivarium.node.run.RunMessage;
import dev.vivarium.protocol.api.NodeView;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.pubsub.Topic;
import org.apache.pekko.cluster.sharding.ShardRegion;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * Periodically sends this node's load to all nodes, records what they send, has unallocated shards opened, and releases
 * shards when the coordinator asks. One per node, a child of the system's root; owns nothing.
 */
public final class LoadReporter extends AbstractBehavior<LoadReporter.Command> {
    private static final String TOPIC = "vivarium-load";

    private final RunEnvironment environment;
    private final NodeLoads nodeLoads;
    private final ReleasePoints releasePoints;
    private final ShardOpening opening;
    private final String address;
    private final ActorRef<Topic.Command<Report>> topic;
    private final org.apache.pekko.actor.ActorRef region;
    private final org.apache.pekko.actor.ActorRef counts;

    /** Its commands. */
    sealed interface Command {}

    private enum Look implements Command {
        INSTANCE
    }

    private record Held(ShardRegion.ShardRegionStats shards) implements Command {}

    private record Received(Report report) implements Command {}

    /** Request shards that may move; answered with {@link Released}. */
    public record Release(Set<String> held, ShardRelease.Which which, ActorRef<Released> replyTo)
            implements Command, RunMessage {}

    /** The shards that may move. */
    public record Released(Set<String> shards) implements RunMessage {}

    /** A node's report to all others: its load, and the actor that releases shards. */
    public record Report(NodeLoad load, ActorRef<Release> releases) implements RunMessage {}

    static Behavior<Command> create(
            RunEnvironment environment,
            NodeLoads nodeLoads,
            ReleasePoints releasePoints,
            ShardOpening opening,
            Duration interval) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Look.INSTANCE, Duration.ZERO, interval);
            return new LoadReporter(context, environment, nodeLoads, releasePoints, opening);
        }));
    }

    private LoadReporter(
            ActorContext<Command> context,
            RunEnvironment environment,
            NodeLoads nodeLoads,
            ReleasePoints releasePoints,
            ShardOpening opening) {
        super(context);
        this.environment = environment;
        this.nodeLoads = nodeLoads;
        this.releasePoints = releasePoints;
        this.opening = opening;
        this.address = Cluster.get(context.getSystem()).selfMember().address().toString();
        this.topic = context.spawn(Topic.create(Report.class, TOPIC), "topic");
        this.region = ShardedRuns.region(context.getSystem());
        this.counts = Adapter.toClassic(context.messageAdapter(ShardRegion.ShardRegionStats.class, Held::new));
        topic.tell(Topic.subscribe(context.messageAdapter(Report.class, Received::new)));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Held.class, this::onHeld)
                .onMessage(Received.class, this::onReceived)
                .onMessage(Release.class, this::onRelease)
                .build();
    }

    private Behavior<Command> onLook(Look look) {
        environment.slots().look();
        opening.look();
        // Only for its counters; the region's state would list every run.
        region.tell(ShardRegion.getRegionStatsInstance(), counts);
        return this;
    }

    private NodeView.Pool pool() {
        WarmPool pool = environment.sandbox().sandboxes().pool();
        return new NodeView.Pool(pool.waiting(), pool.ceiling(), pool.warm(), pool.cold());
    }

    private Behavior<Command> onHeld(Held held) {
        NodeSlots slots = environment.slots();
        NodeSlots.Count count = slots.count();
        NodeLoad load = new NodeLoad(
                environment.nodeName(),
                address,
                slots.capacity(),
                count.taken(),
                count.waiting(),
                slots.waitingMax(),
                environment.drain().isDraining() ? NodeView.Intake.CLOSED : NodeView.Intake.OPEN,
                Set.copyOf(held.shards.getStats().keySet()),
                Optional.of(pool()),
                slots.tenants());
        topic.tell(Topic.publish(new Report(load, getContext().getSelf().narrow())));
        return this;
    }

    private Behavior<Command> onReceived(Received received) {
        nodeLoads.reported(received.report.load);
        releasePoints.reported(received.report.load.address(), received.report.releases);
        return this;
    }

    private Behavior<Command> onRelease(Release release) {
        NodeSlots slots = environment.slots();
        release.replyTo.tell(new Released(
                switch (release.which) {
                    case ONE_IDLE -> slots.releaseIdle(release.held);
                    case ONE_WAITING -> slots.releaseWaiting(release.held);
                    case ALL -> slots.releaseAll(release.held);
                }));
        return this;
    }
}
