package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.run.KillReason;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Checks the kernel's memory periodically, what it tells the use of and what it does not, and ends the sandbox that {@link
 * KernelMemoryWatch} picks. A child of the
 * node's guardian; it owns nothing and stops with the system.
 */
public final class KernelMemoryGuard extends AbstractBehavior<KernelMemoryGuard.Command> {
    private final NodeSandboxes sandboxes;
    private final LiveSandboxes live;
    private final TimerScheduler<Command> timers;
    private KernelMemoryWatch watch;
    private KernelMemoryWatch pages;

    /** The guard's messages. */
    public sealed interface Command {}

    private record Look() implements Command {}

    /**
     * What was seen.
     *
     * @param pages pages without an owner, and what each sandbox's sockets hold without being charged
     */
    private record Looked(KernelMemory memory, KernelMemory pages) implements Command {}

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
        this.pages = watch;
        context.setLoggerName(KernelMemoryGuard.class);
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
        KernelMemoryWatch current = pages;
        getContext()
                .pipeToSelf(
                        sandboxes.kernelMemory().thenCombine(pages(current), Looked::new),
                        (looked, failure) ->
                                failure == null ? looked : new LookFailed(String.valueOf(failure.getMessage())));
        return this;
    }

    /** Of raw pages only queues of sockets can be told whose they are, and that takes a look at all sandboxes. */
    private CompletionStage<KernelMemory> pages(KernelMemoryWatch current) {
        return sandboxes.kernelPages().thenCompose(bytes -> {
            KernelMemory unowned = new KernelMemory(bytes, Map.of());
            return current.isExceededBy(unowned)
                    ? sandboxes.sockets().thenApply(unowned::with)
                    : CompletableFuture.completedStage(unowned);
        });
    }

    private Behavior<Command> onLooked(Looked looked) {
        KernelMemoryWatch.Next next = watch.looked(looked.memory);
        watch = next.watch();
        next.taker()
                .ifPresent(taker -> end(
                        taker,
                        "Kernel memory that is charged to no control group has grown by "
                                + mebibytes(next.growthBytes())
                                + ", and this sandbox has the most kernel memory charged to it ("
                                + mebibytes(looked.memory.ofSandboxes().getOrDefault(taker, 0L)) + ")."));
        KernelMemoryWatch.Next nextOfPages = pages.looked(looked.pages);
        pages = nextOfPages.watch();
        nextOfPages
                .taker()
                .ifPresent(taker -> end(
                        taker,
                        "Pages of the kernel without an owner have grown by " + mebibytes(nextOfPages.growthBytes())
                                + ", and sockets of this sandbox hold the most that nobody is charged for ("
                                + mebibytes(looked.pages.ofSandboxes().getOrDefault(taker, 0L))
                                + "): connections that it does not accept, or copies of packets that it has sent."));
        timers.startSingleTimer(new Look(), KernelMemoryWatch.INTERVAL);
        return this;
    }

    private void end(SandboxId taker, String why) {
        getContext().getLog().warn("{} Sandbox {} is killed for MEMORY.", why, taker);
        live.stop(taker, KillReason.MEMORY);
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    private Behavior<Command> onLookFailed(LookFailed failed) {
        getContext().getLog().debug("The kernel's memory is not known: {}", failed.why);
        timers.startSingleTimer(new Look(), KernelMemoryWatch.INTERVAL);
        return this;
    }
}
