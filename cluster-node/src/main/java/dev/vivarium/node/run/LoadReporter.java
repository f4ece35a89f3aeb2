package dev.vivarium.node.run;

import dev.vivarium.node.placement.LoadBoard;
import dev.vivarium.node.placement.NodeLoad;
import java.time.Duration;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.pubsub.Topic;
import org.apache.pekko.cluster.sharding.ShardRegion;
import org.apache.pekko.cluster.sharding.typed.GetShardRegionState;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * Tells all nodes this one's load, again and again, and puts what they tell on the board. One a node, a child of the
 * system's root; owns nothing.
 */
final class LoadReporter extends AbstractBehavior<LoadReporter.Command> {
    private static final String TOPIC = "vivarium-load";

    private final RunEnvironment environment;
    private final LoadBoard board;
    private final String address;
    private final ActorRef<Topic.Command<NodeLoad>> topic;
    private final ActorRef<ShardRegion.CurrentShardRegionState> states;

    /** What it understands. */
    sealed interface Command {}

    private enum Look implements Command {
        INSTANCE
    }

    private record Held(ShardRegion.CurrentShardRegionState state) implements Command {}

    private record Told(NodeLoad load) implements Command {}

    static Behavior<Command> create(RunEnvironment environment, LoadBoard board, Duration interval) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Look.INSTANCE, Duration.ZERO, interval);
            return new LoadReporter(context, environment, board);
        }));
    }

    private LoadReporter(ActorContext<Command> context, RunEnvironment environment, LoadBoard board) {
        super(context);
        this.environment = environment;
        this.board = board;
        this.address = Cluster.get(context.getSystem()).selfMember().address().toString();
        this.topic = context.spawn(Topic.create(NodeLoad.class, TOPIC), "topic");
        this.states = context.messageAdapter(ShardRegion.CurrentShardRegionState.class, Held::new);
        topic.tell(Topic.subscribe(context.messageAdapter(NodeLoad.class, Told::new)));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Held.class, this::onHeld)
                .onMessage(Told.class, this::onTold)
                .build();
    }

    private Behavior<Command> onLook(Look look) {
        ClusterSharding.get(getContext().getSystem()).shardState().tell(new GetShardRegionState(Run.TYPE_KEY, states));
        return this;
    }

    private Behavior<Command> onHeld(Held held) {
        NodeLoad.Intake intake = environment.drain().isDraining() ? NodeLoad.Intake.CLOSED : NodeLoad.Intake.OPEN;
        topic.tell(Topic.publish(new NodeLoad(
                address,
                environment.live().count(),
                environment.live().max(),
                intake,
                held.state.getShards().stream()
                        .map(ShardRegion.ShardState::shardId)
                        .collect(Collectors.toSet()))));
        return this;
    }

    private Behavior<Command> onTold(Told told) {
        board.told(told.load);
        return this;
    }
}
