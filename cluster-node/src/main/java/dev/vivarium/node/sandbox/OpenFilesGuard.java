package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.kernel.OpenFileTable;
import dev.vivarium.protocol.run.KillReason;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Checks the machine's open files periodically and ends the sandboxes that {@link OpenFilesWatch} picks. A child of the
 * node's guardian; it owns nothing and stops with the system.
 */
public final class OpenFilesGuard extends AbstractBehavior<OpenFilesGuard.Command> {
    /** A process opens some 100,000 files in this time, and a quarter of the table is free when they are counted. */
    private static final Duration INTERVAL = Duration.ofMillis(100);
    /** After sandboxes were ended, until their files are closed. */
    private static final Duration QUIET = Duration.ofMillis(500);

    private final NodeSandboxes sandboxes;
    private final LiveSandboxes live;
    private final TimerScheduler<Command> timers;

    /** The guard's messages. */
    public sealed interface Command {}

    private record Look() implements Command {}

    private record Looked(OpenFileTable table, KernelMemory memory) implements Command {}

    private record Nothing() implements Command {}

    /** A guard that ends sandboxes when the machine's open files are scarce. */
    public static Behavior<Command> create(NodeSandboxes sandboxes, LiveSandboxes live) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startSingleTimer(new Look(), INTERVAL);
            return new OpenFilesGuard(context, timers, sandboxes, live);
        }));
    }

    private OpenFilesGuard(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            NodeSandboxes sandboxes,
            LiveSandboxes live) {
        super(context);
        this.timers = timers;
        this.sandboxes = sandboxes;
        this.live = live;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Looked.class, this::onLooked)
                .onMessage(Nothing.class, this::onNothing)
                .build();
    }

    private Behavior<Command> onLook(Look look) {
        if (live.count() == 0) {
            return onNothing(new Nothing());
        }
        getContext()
                .pipeToSelf(
                        sandboxes.openFiles().thenCompose(this::withMemory),
                        (looked, failure) -> failure == null ? looked : new Nothing());
        return this;
    }

    private CompletionStage<Command> withMemory(Optional<OpenFileTable> table) {
        return table.filter(OpenFileTable::isScarce)
                .<CompletionStage<Command>>map(
                        scarce -> sandboxes.kernelMemory().thenApply(memory -> new Looked(scarce, memory)))
                .orElseGet(() -> CompletableFuture.completedStage(new Nothing()));
    }

    private Behavior<Command> onLooked(Looked looked) {
        List<SandboxId> takers = OpenFilesWatch.takers(looked.table, looked.memory);
        for (SandboxId taker : takers) {
            getContext()
                    .getLog()
                    .warn(
                            "The machine has {} files open of {} (fs.file-max). Sandbox {}, which may hold most of them"
                                    + " ({} MiB of kernel memory), is killed for MEMORY.",
                            looked.table.inUse(),
                            looked.table.max(),
                            taker,
                            looked.memory.ofSandboxes().getOrDefault(taker, 0L) >> 20);
            live.stop(taker, KillReason.MEMORY);
        }
        timers.startSingleTimer(new Look(), takers.isEmpty() ? INTERVAL : QUIET);
        return this;
    }

    private Behavior<Command> onNothing(Nothing nothing) {
        timers.startSingleTimer(new Look(), INTERVAL);
        return this;
    }
}
