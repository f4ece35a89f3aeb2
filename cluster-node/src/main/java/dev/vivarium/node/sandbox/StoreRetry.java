package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.pattern.Patterns;

/**
 * Repeats a call while the store is unavailable, with a pause before each repetition, until the time for it is over. Any other
 * failure is the call's result. Thread-safe.
 */
final class StoreRetry {
    private final ClassicActorSystemProvider timers;
    private final NodeClock clock;
    private final Duration pause;
    private final long beganNanos;
    private final Duration atMost;
    private volatile boolean isAway;

    /**
     * @param pause the time before a repetition
     * @param atMost from now on; no repetition begins later
     */
    StoreRetry(ClassicActorSystemProvider timers, NodeClock clock, Duration pause, Duration atMost) {
        this.timers = timers;
        this.clock = clock;
        this.pause = pause;
        this.beganNanos = clock.nanos();
        this.atMost = atMost;
    }

    /** Whether the last call found no store. */
    boolean isAway() {
        return isAway;
    }

    /** The call's result; fails with {@link StoreUnavailable} when the time is over, or the caller does not go on. */
    <T> CompletionStage<T> call(Supplier<CompletionStage<T>> call, BooleanSupplier goesOn) {
        return call.get()
                .handle((answer, failure) -> {
                    isAway = failure != null && StageFailure.cause(failure) instanceof StoreUnavailable;
                    if (failure == null) {
                        return CompletableFuture.completedStage(answer);
                    }
                    return isAway && isInTime() && goesOn.getAsBoolean()
                            ? Patterns.after(pause, timers, () -> call(call, goesOn))
                            : CompletableFuture.<T>failedStage(StageFailure.cause(failure));
                })
                .thenCompose(next -> next);
    }

    private boolean isInTime() {
        return clock.nanos() - beganNanos < atMost.toNanos();
    }
}
