package dev.vivarium.node.membership;

import dev.vivarium.node.membership.Peers.Peer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.cluster.UniqueAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Detects that a peer's process has ended, seconds before the failure detector would: its machine refuses connections
 * to its port. Unlike silence a refusal is conclusive, so there is no need to wait; but a middlebox could refuse for
 * the machine, so a peer is downed only by a majority. Everything else is left to the failure detector. A child of the
 * node's guardian; stops with it.
 */
public final class CrashWatch extends AbstractBehavior<CrashWatch.Command> {
    private static final Logger LOG = LoggerFactory.getLogger(CrashWatch.class);
    /** How many peers each node watches. */
    private static final int PEERS = 3;
    /** A single refusal could come from a moment between two processes on the port. */
    private static final int REFUSALS = 2;

    private final Supplier<Peers> peers;
    private final Knock knock;
    private final Consumer<UniqueAddress> giveUp;
    private final Set<UniqueAddress> asked = new HashSet<>();
    private final Map<UniqueAddress, Integer> refusals = new HashMap<>();

    /** Probes whether a peer's process is alive. */
    public interface Knock {
        CompletionStage<PortProbe.Answer> at(UniqueAddress peer);
    }

    /** Its commands. */
    public sealed interface Command {}

    private enum Look implements Command {
        INSTANCE
    }

    private record Answered(UniqueAddress peer, PortProbe.Answer answer) implements Command {}

    /**
     * A watch that probes its peers.
     *
     * @param interval between two probes
     * @param peers this node's current view of the members
     * @param giveUp downs a peer
     */
    public static Behavior<Command> create(
            Duration interval, Supplier<Peers> peers, Knock knock, Consumer<UniqueAddress> giveUp) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Look.INSTANCE, interval);
            return new CrashWatch(context, peers, knock, giveUp);
        }));
    }

    private CrashWatch(
            ActorContext<Command> context, Supplier<Peers> peers, Knock knock, Consumer<UniqueAddress> giveUp) {
        super(context);
        this.peers = peers;
        this.knock = knock;
        this.giveUp = giveUp;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Answered.class, this::onAnswered)
                .build();
    }

    private Behavior<Command> onLook(Look look) {
        Set<UniqueAddress> watched =
                peers.get().successors(PEERS).stream().map(Peer::life).collect(Collectors.toUnmodifiableSet());
        refusals.keySet().retainAll(watched);
        watched.stream().filter(asked::add).forEach(this::ask);
        return this;
    }

    private void ask(UniqueAddress peer) {
        getContext()
                .pipeToSelf(
                        knock.at(peer),
                        (answer, failure) -> new Answered(peer, failure == null ? answer : PortProbe.Answer.SILENT));
    }

    private Behavior<Command> onAnswered(Answered answered) {
        asked.remove(answered.peer);
        if (answered.answer != PortProbe.Answer.REFUSED) {
            refusals.remove(answered.peer);
        } else if (refusals.merge(answered.peer, 1, Integer::sum) >= REFUSALS) {
            judge(answered.peer);
        }
        return this;
    }

    private void judge(UniqueAddress peer) {
        Peers now = peers.get();
        if (now.successors(PEERS).stream().anyMatch(other -> other.life().equals(peer))
                && now.areMajorityWithout(refusals.keySet())) {
            LOG.warn("The node at {} has crashed: nothing listens there any more.", Membership.placeOf(peer.address()));
            giveUp.accept(peer);
        }
    }
}
