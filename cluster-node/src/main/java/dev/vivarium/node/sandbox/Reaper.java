package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Destroys sandboxes of this node that no live actor here owns. Level-triggered: it compares what the engine has with
 * what is owned, again and again, so that it does not matter why something was left. A child of the node's guardian; it
 * owns nothing and stops with the system.
 */
public final class Reaper extends AbstractBehavior<Reaper.Command> {
    private final SandboxDriver driver;
    private final LiveSandboxes live;

    /** What a reaper understands. */
    public sealed interface Command {}

    private record Sweep() implements Command {}

    private record Swept(int orphans) implements Command {}

    private record SweepFailed(String why) implements Command {}

    /** A reaper that sweeps after each interval. */
    public static Behavior<Command> create(SandboxDriver driver, LiveSandboxes live, Duration interval) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Sweep(), interval);
            return new Reaper(context, driver, live);
        }));
    }

    private Reaper(ActorContext<Command> context, SandboxDriver driver, LiveSandboxes live) {
        super(context);
        this.driver = driver;
        this.live = live;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Sweep.class, this::onSweep)
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
        return driver.listOwned().thenCompose(found -> {
            List<CompletableFuture<Done>> ends = found.stream()
                    .filter(id -> !live.owns(id))
                    .map((SandboxId id) -> driver.destroy(id).toCompletableFuture())
                    .toList();
            return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new))
                    .thenApply(done -> ends.size());
        });
    }
}
