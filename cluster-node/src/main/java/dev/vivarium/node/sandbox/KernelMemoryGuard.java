package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.protocol.run.KillReason;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Checks the kernel's memory periodically and ends the sandbox that {@link KernelMemoryWatch} picks. A child of the
 * node's guardian; it owns nothing and stops with the system.
 */
public final class KernelMemoryGuard extends AbstractBehavior<KernelMemoryGuard.Command> {
    private final NodeSandboxes sandboxes;
    private final LiveSandboxes live;
    private final TimerScheduler<Command> timers;
    private KernelMemoryWatch watch;

    /** The guard's messages. */
    public sealed interface Command {}

    private record Look() implements Command {}

    private record Looked(KernelMemory memory) implements Command {}

    private record LookFailed(String why) implements Command {}

    /** A guard that ends a sandbox when the kernel's uncounted memory has grown by more than this number of bytes. */
    public static Behavior<Command> create(NodeSandboxes sandboxes, LiveSandboxes live, long growthMaxBytes) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startSingleTimer(new Look(), KernelMemoryWatch.INTERVAL);
            return new KernelMemoryGuard(context, timers, sandboxes, live, KernelMemoryWatch.of(growthMaxBytes));
        }));
    }

    private KernelMemoryGuard(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            NodeSandboxes sandboxes,
            LiveSandboxes live,
            KernelMemoryWatch watch) {
        super(context);
        this.timers = timers;
        this.sandboxes = sandboxes;
        this.live = live;
        this.watch = watch;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Looked.class, this::onLooked)
                .onMessage(LookFailed.class, this::onLookFailed)
                .build();
    }

    private Behavior<Command> onLook(Look look) {
        getContext()
                .pipeToSelf(
                        sandboxes.kernelMemory(),
                        (memory, failure) -> failure == null
                                ? new Looked(memory)
                                : new LookFailed(String.valueOf(failure.getMessage())));
        return this;
    }

    private Behavior<Command> onLooked(Looked looked) {
        KernelMemoryWatch.Next next = watch.looked(looked.memory);
        watch = next.watch();
        next.taker().ifPresent(taker -> {
            getContext()
                    .getLog()
                    .warn(
                            "Kernel memory that is charged to no control group has grown by {} MiB. Sandbox {}, which"
                                    + " has the most kernel memory charged to it ({} MiB), is killed for MEMORY.",
                            next.growthBytes() >> 20,
                            taker,
                            looked.memory.ofSandboxes().getOrDefault(taker, 0L) >> 20);
            live.stop(taker, KillReason.MEMORY);
        });
        timers.startSingleTimer(new Look(), KernelMemoryWatch.INTERVAL);
        return this;
    }

    private Behavior<Command> onLookFailed(LookFailed failed) {
        getContext().getLog().debug("The kernel's memory is not known: {}", failed.why);
        timers.startSingleTimer(new Look(), KernelMemoryWatch.INTERVAL);
        return this;
    }
}
