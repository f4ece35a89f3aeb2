package dev.vivarium.node.sandbox;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.pool.WarmPool;
import dev.vivarium.protocol.act.Act;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Destroys sandboxes of this node that no live actor owns, and those of nodes that have left the cluster for good and
 * shared this engine. Level-triggered: it compares the engine's sandboxes with the owned ones, again and again, so that
 * the reason why one was left does not matter. Sandboxes of other members are never touched. A child of the node's
 * guardian; it owns nothing and stops with the system.
 */
public final class Reaper extends AbstractBehavior<Reaper.Command> {
    private final NodeSandboxes sandboxes;
    private final LiveSandboxes live;
    private final Members members;
    private final Acts acts;
    /**
     * Sandboxes whose node was not a member at the previous sweep, so that a node that joins in between keeps its own.
     */
    private Set<SandboxId> ownerless = Set.of();

    /**
     * What a sweep has found.
     *
     * @param orphans sandboxes without an owner
     * @param destroyed how many of them it has destroyed; others were gone by then
     */
    public record Found(List<SandboxId> orphans, int destroyed) {
        /** Records it, unless it is nothing. */
        public void note(Acts acts) {
            if (destroyed > 0) {
                List<String> names = orphans.stream().map(SandboxId::toString).toList();
                acts.note((at, node) -> new Act.SandboxesReaped(at, node, destroyed, names));
            }
        }
    }

    /** The members whose sandboxes must not be touched. */
    public interface Members {
        /** Their names; empty when not known for certain, in which case no other node's sandboxes are touched. */
        Optional<Set<String>> names();
    }

    /** The reaper's messages. */
    public sealed interface Command {}

    private record Sweep() implements Command {}

    private record Swept(Found found) implements Command {}

    private record Listed(List<ListedSandbox> sandboxes) implements Command {}

    private record SweepFailed(String why) implements Command {}

    /**
     * A reaper that sweeps at this interval.
     *
     * @param acts where it is recorded what it has found
     */
    public static Behavior<Command> create(
            NodeSandboxes sandboxes, LiveSandboxes live, Members members, Acts acts, Duration interval) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Sweep(), interval);
            return new Reaper(context, sandboxes, live, members, acts);
        }));
    }

    private Reaper(
            ActorContext<Command> context, NodeSandboxes sandboxes, LiveSandboxes live, Members members, Acts acts) {
        super(context);
        this.sandboxes = sandboxes;
        this.live = live;
        this.members = members;
        this.acts = acts;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Sweep.class, this::onSweep)
                .onMessage(Listed.class, this::onListed)
                .onMessage(Swept.class, this::onSwept)
                .onMessage(SweepFailed.class, this::onSweepFailed)
                .build();
    }

    private Behavior<Command> onSweep(Sweep sweep) {
        getContext()
                .pipeToSelf(
                        sandboxes.list(),
                        (found, failure) -> failure == null
                                ? new Listed(found)
                                : new SweepFailed(String.valueOf(failure.getMessage())));
        return this;
    }

    private Behavior<Command> onListed(Listed listed) {
        List<SandboxId> orphans = new ArrayList<>(orphans(listed.sandboxes, sandboxes.pool(), live));
        members.names().ifPresent(names -> orphans.addAll(ownerlessTwice(listed.sandboxes, names)));
        getContext()
                .pipeToSelf(
                        destroy(sandboxes, orphans),
                        (found, failure) -> failure == null
                                ? new Swept(found)
                                : new SweepFailed(String.valueOf(failure.getMessage())));
        return this;
    }

    private List<SandboxId> ownerlessTwice(List<ListedSandbox> found, Set<String> names) {
        Set<SandboxId> now = found.stream()
                .filter(one -> one.owner() instanceof ListedSandbox.OtherNode other && !names.contains(other.name()))
                .map(ListedSandbox::id)
                .collect(Collectors.toUnmodifiableSet());
        List<SandboxId> twice = now.stream().filter(ownerless::contains).toList();
        ownerless = now;
        return twice;
    }

    private Behavior<Command> onSwept(Swept swept) {
        if (swept.found.destroyed > 0) {
            getContext().getLog().warn("Destroyed {} orphaned sandboxes.", swept.found.destroyed);
        }
        swept.found.note(acts);
        return this;
    }

    private Behavior<Command> onSweepFailed(SweepFailed failed) {
        getContext().getLog().warn("Could not sweep for orphaned sandboxes: {}", failed.why);
        return this;
    }

    /**
     * One sweep.
     *
     * @return what it has found and destroyed
     */
    public static CompletionStage<Found> sweep(NodeSandboxes sandboxes, LiveSandboxes live) {
        return sandboxes.list().thenCompose(listed -> destroy(sandboxes, orphans(listed, sandboxes.pool(), live)));
    }

    private static CompletionStage<Found> destroy(NodeSandboxes sandboxes, List<SandboxId> orphans) {
        return sandboxes.destroy(orphans).thenApply(gone -> new Found(orphans, gone));
    }

    /** The pool is asked first: what it does not own any more has an owner among the live ones by then. */
    private static List<SandboxId> orphans(List<ListedSandbox> found, WarmPool pool, LiveSandboxes live) {
        return found.stream()
                .filter(one ->
                        one.owner() instanceof ListedSandbox.ThisNode && !pool.owns(one.id()) && !live.owns(one.id()))
                .map(ListedSandbox::id)
                .toList();
    }
}
