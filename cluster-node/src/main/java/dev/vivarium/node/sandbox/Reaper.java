package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Destroys sandboxes of this node that no live actor here owns, and those of nodes that have left the cluster for good and
 * shared this engine. Level-triggered: it compares what the engine has with what is owned, again and again, so that it
 * does not matter why something was left. What belongs to another member is never touched. A child of the node's
 * guardian; it owns nothing and stops with the system.
 */
public final class Reaper extends AbstractBehavior<Reaper.Command> {
    private final SandboxDriver driver;
    private final LiveSandboxes live;
    private final Members members;
    /** Sandboxes of nodes that were no members at the sweep before: a node that joins meanwhile keeps its own. */
    private Set<SandboxId> ownerless = Set.of();

    /** The nodes whose sandboxes are their own business. */
    public interface Members {
        /** Their names; empty when that is not known for sure, and then no other node's sandboxes are touched. */
        Optional<Set<String>> names();
    }

    /** What a reaper understands. */
    public sealed interface Command {}

    private record Sweep() implements Command {}

    private record Swept(int orphans) implements Command {}

    private record Found(Map<SandboxId, String> ofOthers, Set<String> names) implements Command {}

    private record SweepFailed(String why) implements Command {}

    /** A reaper that sweeps after each interval. */
    public static Behavior<Command> create(
            SandboxDriver driver, LiveSandboxes live, Members members, Duration interval) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Sweep(), interval);
            return new Reaper(context, driver, live, members);
        }));
    }

    private Reaper(ActorContext<Command> context, SandboxDriver driver, LiveSandboxes live, Members members) {
        super(context);
        this.driver = driver;
        this.live = live;
        this.members = members;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Sweep.class, this::onSweep)
                .onMessage(Found.class, this::onFound)
                .onMessage(Swept.class, this::onSwept)
                .onMessage(SweepFailed.class, this::onSweepFailed)
                .build();
    }

    private Behavior<Command> onSweep(Sweep sweep) {
        getContext()
                .pipeToSelf(
                        sweep(driver, live),
                        (orphans, failure) -> failure == null
                                ? new Swept(orphans)
                                : new SweepFailed(String.valueOf(failure.getMessage())));
        members.names().ifPresent(names -> getContext()
                .pipeToSelf(
                        driver.listOfOthers(),
                        (found, failure) -> failure == null
                                ? new Found(found, names)
                                : new SweepFailed(String.valueOf(failure.getMessage()))));
        return this;
    }

    private Behavior<Command> onFound(Found found) {
        Set<SandboxId> now = found.ofOthers.entrySet().stream()
                .filter(entry -> !found.names.contains(entry.getValue()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toUnmodifiableSet());
        List<SandboxId> twice = now.stream().filter(ownerless::contains).toList();
        ownerless = now;
        if (!twice.isEmpty()) {
            getContext()
                    .pipeToSelf(
                            destroy(driver, twice),
                            (gone, failure) -> failure == null
                                    ? new Swept(gone)
                                    : new SweepFailed(String.valueOf(failure.getMessage())));
        }
        return this;
    }

    private Behavior<Command> onSwept(Swept swept) {
        if (swept.orphans > 0) {
            getContext().getLog().warn("Destroyed {} sandboxes that nobody owned.", swept.orphans);
        }
        return this;
    }

    private Behavior<Command> onSweepFailed(SweepFailed failed) {
        getContext().getLog().warn("Could not sweep for orphaned sandboxes: {}", failed.why);
        return this;
    }

    /**
     * One sweep.
     *
     * @return how many orphans were destroyed
     */
    public static CompletionStage<Integer> sweep(SandboxDriver driver, LiveSandboxes live) {
        return driver.listOwned()
                .thenCompose(found -> destroy(
                        driver, found.stream().filter(id -> !live.owns(id)).toList()));
    }

    /** Destroys them all at once, whatever their owners are about to do with them. */
    public static CompletionStage<Integer> destroy(SandboxDriver driver, List<SandboxId> sandboxes) {
        List<CompletableFuture<Done>> ends = sandboxes.stream()
                .map((SandboxId id) -> driver.destroy(id).toCompletableFuture())
                .toList();
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).thenApply(done -> ends.size());
    }
}
