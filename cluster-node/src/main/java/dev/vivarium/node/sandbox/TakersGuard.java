package dev.vivarium.node.sandbox;

import dev.vivarium.node.kernel.OpenFileTable;
import dev.vivarium.node.kernel.SocketMemory;
import dev.vivarium.protocol.run.KillReason;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Checks periodically something that all of the machine shares and no control group divides, and ends the sandboxes that take
 * most of it once it is scarce. A child of the node's guardian; it owns nothing and stops with the system.
 */
public final class TakersGuard extends AbstractBehavior<TakersGuard.Command> {
    /**
     * A process opens some 100,000 files in this time, or queues 50 MiB in sockets, and a quarter is free when the takers are
     * looked for.
     */
    private static final Duration INTERVAL = Duration.ofMillis(100);
    /** After sandboxes were ended, until what they held is given back. */
    private static final Duration QUIET = Duration.ofMillis(500);

    private final Supplier<CompletionStage<List<Taker>>> takers;
    private final LiveSandboxes live;
    private final TimerScheduler<Command> timers;

    /** The guard's messages. */
    public sealed interface Command {}

    private record Look() implements Command {}

    private record Looked(List<Taker> takers) implements Command {
        Looked {
            takers = List.copyOf(takers);
        }
    }

    /** Of the machine's open files ({@link OpenFilesWatch}). */
    public static Behavior<Command> ofOpenFiles(NodeSandboxes sandboxes, LiveSandboxes live) {
        return of(live, () -> sandboxes.openFiles().thenCompose(table -> table.filter(OpenFileTable::isScarce)
                .map(scarce -> sandboxes.kernelMemory().thenApply(memory -> OpenFilesWatch.takers(scarce, memory)))
                .orElseGet(TakersGuard::none)));
    }

    /** Of the machine's memory for the queues of sockets ({@link SocketMemoryWatch}). */
    public static Behavior<Command> ofSocketMemory(NodeSandboxes sandboxes, LiveSandboxes live) {
        return of(live, () -> sandboxes.socketMemory().thenCompose(machine -> scarcest(machine)
                .map(scarce -> sandboxes.sockets().thenApply(uses -> SocketMemoryWatch.takers(scarce, uses)))
                .orElseGet(TakersGuard::none)));
    }

    private static Optional<SocketMemory.Protocol> scarcest(Optional<SocketMemory> machine) {
        return machine.flatMap(SocketMemory::scarce);
    }

    private static CompletionStage<List<Taker>> none() {
        return CompletableFuture.completedStage(List.of());
    }

    private static Behavior<Command> of(LiveSandboxes live, Supplier<CompletionStage<List<Taker>>> takers) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startSingleTimer(new Look(), INTERVAL);
            return new TakersGuard(context, timers, takers, live);
        }));
    }

    private TakersGuard(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Supplier<CompletionStage<List<Taker>>> takers,
            LiveSandboxes live) {
        super(context);
        context.setLoggerName(TakersGuard.class);
        this.timers = timers;
        this.takers = takers;
        this.live = live;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Look.class, this::onLook)
                .onMessage(Looked.class, this::onLooked)
                .build();
    }

    private Behavior<Command> onLook(Look look) {
        if (live.count() == 0) {
            return onLooked(new Looked(List.of()));
        }
        getContext()
                .pipeToSelf(
                        takers.get(), (found, failure) -> failure == null ? new Looked(found) : new Looked(List.of()));
        return this;
    }

    private Behavior<Command> onLooked(Looked looked) {
        for (Taker taker : looked.takers) {
            getContext().getLog().warn("{} Sandbox {} is killed for MEMORY.", taker.why(), taker.sandbox());
            live.stop(taker.sandbox(), KillReason.MEMORY);
        }
        timers.startSingleTimer(new Look(), looked.takers.isEmpty() ? INTERVAL : QUIET);
        return this;
    }
}
