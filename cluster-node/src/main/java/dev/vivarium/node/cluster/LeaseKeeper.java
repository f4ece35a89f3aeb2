package dev.vivarium.node.cluster;

import dev.vivarium.node.sandbox.NodeClock;
import dev.vivarium.node.sandbox.NodeLease;
import java.time.Duration;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * Renews the node's lease while it is in the cluster for sure: it sees a majority, and has been awake. A look that comes
 * much too late means that the node was frozen, or starved: what it believes of the cluster is then old, and it believes
 * it again only after the time that news of its own end would need. A child of the node's guardian; stops with it.
 */
final class LeaseKeeper extends AbstractBehavior<LeaseKeeper.Look> {
    private static final int LOOKS_A_LEASE = 20;

    private final Cluster cluster;
    private final NodeLease lease;
    private final NodeClock clock;
    private final Duration probation;
    private final long lateNanos;
    private long lastNanos;
    private long doubtfulUntilNanos;

    /** Time to look. */
    enum Look {
        INSTANCE
    }

    /**
     * @param length of the lease
     * @param probation how long a node that was away waits for news of its own end
     */
    static Behavior<Look> create(NodeLease lease, Duration length, Duration probation, NodeClock clock) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerAtFixedRate(Look.INSTANCE, length.dividedBy(LOOKS_A_LEASE));
            return new LeaseKeeper(context, lease, length, probation, clock);
        }));
    }

    private LeaseKeeper(
            ActorContext<Look> context, NodeLease lease, Duration length, Duration probation, NodeClock clock) {
        super(context);
        this.cluster = Cluster.get(context.getSystem());
        this.lease = lease;
        this.clock = clock;
        this.probation = probation;
        this.lateNanos = length.toNanos() / 4;
        this.lastNanos = clock.nanos();
        this.doubtfulUntilNanos = lastNanos;
    }

    @Override
    public Receive<Look> createReceive() {
        return newReceiveBuilder().onMessage(Look.class, this::onLook).build();
    }

    private Behavior<Look> onLook(Look look) {
        long now = clock.nanos();
        if (now - lastNanos > lateNanos) {
            doubtfulUntilNanos = now + probation.toNanos();
            getContext()
                    .getLog()
                    .warn(
                            "This node was not running for {} ms; nothing is begun until it is sure to be in the cluster.",
                            (now - lastNanos) / 1_000_000);
        }
        lastNanos = now;
        if (now - doubtfulUntilNanos >= 0 && Membership.isAmongMajority(cluster.state(), cluster.selfMember())) {
            lease.renew();
        }
        return this;
    }
}
