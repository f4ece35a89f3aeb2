package dev.vivarium.node.lease;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.membership.Membership;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.TakeoverWait;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.cluster.ClusterEvent.MemberDowned;
import org.apache.pekko.cluster.ClusterEvent.MemberEvent;
import org.apache.pekko.cluster.ClusterEvent.MemberRemoved;
import org.apache.pekko.cluster.ClusterEvent.MemberUp;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Keeps the node's lease: periodically requests it from all members, and renews it from the time of the request that a
 * majority has granted. A node that is frozen or cut off gets no grants, whatever its own view of the cluster. Grants
 * leases to other members until they are given up, and then reports to all nodes when it last did, so that the nodes that
 * take over its runs know when its lease has ended. A child of the node's guardian, started before the node joins,
 * since a member that does not answer counts for the majority all the same. Stops with the guardian.
 */
public final class LeaseKeeper extends AbstractBehavior<LeaseKeeper.Command> {
    public static final String NAME = "lease";

    private static final int LOOKS_A_LEASE = 26;

    private final Cluster cluster;
    private final ActorRefResolver refs;
    private final NodeLease lease;
    private final TakeoverWait wait;
    private final NodeClock clock;
    private final LeaseRounds rounds = new LeaseRounds();
    private final LeaseGrants grants;
    private final long lengthNanos;
    private final String self;
    /** Cached until the next change: in a large cluster each round needs them twice for every node. */
    private Map<String, Member> voters;

    private int votersMost;
    private long votersMostNanos;
    private long lookedNanos;

    /** Its commands. */
    sealed interface Command {}

    private enum Look implements Command {
        INSTANCE
    }

    private record Changed(MemberEvent event) implements Command {}

    /** Requests a grant; answered with {@link Grant}, or not at all. */
    record Ask(long round, String asker, ActorRef<Grant> replyTo) implements Command, LeaseMessage {}

    /** The node may keep its runs for the length of a lease, counted from its request. */
    record Grant(long round, String by) implements Command, LeaseMessage {}

    /**
     * A node gets no more grants.
     *
     * @param ago how long before this message it last got one
     */
    record Withheld(String life, String by, Duration ago) implements Command, LeaseMessage {}

    /**
     * Keeps this node's lease and grants leases to others.
     *
     * @param length of a lease
     */
    public static Behavior<Command> create(NodeLease lease, TakeoverWait wait, Duration length, NodeClock clock) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerAtFixedRate(Look.INSTANCE, length.dividedBy(LOOKS_A_LEASE));
            return new LeaseKeeper(context, lease, wait, length, clock);
        }));
    }

    private LeaseKeeper(
            ActorContext<Command> context, NodeLease lease, TakeoverWait wait, Duration length, NodeClock clock) {
        super(context);
        this.cluster = Cluster.get(context.getSystem());
        this.refs = ActorRefResolver.get(context.getSystem());
        this.lease = lease;
        this.wait = wait;
        this.clock = clock;
        this.grants = new LeaseGrants(length);
        this.lengthNanos = length.toNanos();
        this.voters = Membership.voters(cluster.state());
        this.self = Membership.lifeOf(cluster.selfMember());
        this.lookedNanos = clock.nanos();
        ActorRef<MemberEvent> changes = context.messageAdapter(MemberEvent.class, Changed::new);
        cluster.subscriptions().tell(Subscribe.create(changes, MemberEvent.class));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Ask.class, this::onAsk)
                .onMessage(Grant.class, this::onGrant)
                .onMessage(Changed.class, changed -> onChange(changed.event))
                .onMessage(Withheld.class, this::onWithheld)
                .build();
    }

    // ---- the node's own lease

    private Behavior<Command> onLook(Look look) {
        long now = clock.nanos();
        if (now - lookedNanos > lengthNanos / 4) {
            getContext().getLog().warn("This node was not running for {} ms.", (now - lookedNanos) / 1_000_000);
        }
        lookedNanos = now;
        readVoters(now);
        if (voters.containsKey(self)) {
            ask(now);
        }
        grants.givenUp(now).forEach((life, name) -> {
            tellAll(life, now);
            conclude(life, name);
        });
        return this;
    }

    private void ask(long now) {
        long round = rounds.begin(now);
        voters.forEach((life, member) -> {
            if (!life.equals(self)) {
                keeperOf(member)
                        .tell(new Ask(round, self, getContext().getSelf().narrow()));
            }
        });
        onGrant(new Grant(round, self));
    }

    private Behavior<Command> onGrant(Grant grant) {
        rounds.granted(grant.round, grant.by, voters.keySet()).ifPresent(lease::renew);
        return this;
    }

    // ---- the leases of others

    private Behavior<Command> onAsk(Ask ask) {
        boolean isMember = voters.containsKey(ask.asker);
        if (isMember && grants.grant(ask.asker, clock.nanos())) {
            ask.replyTo.tell(new Grant(ask.round, self));
        }
        return this;
    }

    private Behavior<Command> onChange(MemberEvent event) {
        long now = clock.nanos();
        readVoters(now);
        if (event instanceof MemberDowned || event instanceof MemberRemoved) {
            String life = Membership.lifeOf(event.member());
            String name = Membership.nameOf(event.member()).orElse("");
            grants.giveUp(life, name, votersMost, now);
            tellAll(life, now);
            conclude(life, name);
        } else if (event instanceof MemberUp) {
            // A new incarnation's actions are independent of the earlier one's.
            Membership.nameOf(event.member()).ifPresent(name -> {
                grants.forget(name);
                wait.forget(name);
            });
        }
        return this;
    }

    /** Repeated for a while, since a message can be lost, or reach a node that does not yet know the change itself. */
    private void tellAll(String life, long now) {
        Duration ago = grants.last(life, now);
        Withheld withheld = new Withheld(life, self, ago);
        grants.reported(life, self, ago, now);
        voters.forEach((other, member) -> {
            if (!other.equals(self)) {
                keeperOf(member).tell(withheld);
            }
        });
    }

    private Behavior<Command> onWithheld(Withheld withheld) {
        long now = clock.nanos();
        grants.reported(withheld.life, withheld.by, withheld.ago, now);
        Optional.ofNullable(grants.givenUp(now).get(withheld.life)).ifPresent(name -> conclude(withheld.life, name));
        return this;
    }

    private void conclude(String life, String name) {
        boolean isBack = voters.entrySet().stream()
                .anyMatch(other -> !other.getKey().equals(life)
                        && Membership.nameOf(other.getValue()).equals(Optional.of(name)));
        if (!isBack) {
            Set<String> left = voters.keySet().stream()
                    .filter(other -> !other.equals(life))
                    .collect(Collectors.toUnmodifiableSet());
            OptionalLong end = grants.end(life, left);
            end.ifPresent(nanos -> wait.endsAt(name, nanos));
        }
    }

    /** The earlier number of voters stays valid for a while: nodes that were lost together had votes, too. */
    private void readVoters(long now) {
        voters = Membership.voters(cluster.state());
        if (voters.size() >= votersMost || now - votersMostNanos > 2 * lengthNanos) {
            votersMost = voters.size();
            votersMostNanos = now;
        }
    }

    private ActorRef<Command> keeperOf(Member member) {
        return refs.resolveActorRef(member.address() + "/user/" + NAME);
    }
}
