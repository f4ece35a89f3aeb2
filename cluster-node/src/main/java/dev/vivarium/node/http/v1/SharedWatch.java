package dev.vivarium.node.http.v1;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Waits for a value of the store to change, for any number of requests: while one waits, the value is looked at again and
 * again, and each look is for all of them. Without anyone waiting, nothing is looked at. Thread-safe.
 */
final class SharedWatch<T> {
    private final Supplier<CompletionStage<T>> look;
    private final Duration interval;
    private final Set<Waiter<T>> waiting = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean looking = new AtomicBoolean();

    /** A watch that looks after each interval. */
    SharedWatch(Supplier<CompletionStage<T>> look, Duration interval) {
        this.look = look;
        this.interval = interval;
    }

    /** One waiting request. No record: two that wait for the same are two. */
    private static final class Waiter<T> {
        private final Predicate<T> there;
        private final CompletableFuture<Optional<T>> answer = new CompletableFuture<>();

        Waiter(Predicate<T> there) {
            this.there = there;
        }

        void saw(@Nullable T value, @Nullable Throwable failure) {
            if (failure != null) {
                answer.completeExceptionally(failure);
            } else if (value != null && there.test(value)) {
                answer.complete(Optional.of(value));
            }
        }
    }

    /**
     * The value at the next look that finds it as it should be; empty when that takes longer than a time. A look that
     * fails fails all that wait.
     */
    CompletionStage<Optional<T>> until(Predicate<T> there, Duration max) {
        if (max.isNegative() || max.isZero()) {
            return CompletableFuture.completedStage(Optional.empty());
        }
        Waiter<T> waiter = new Waiter<>(there);
        waiting.add(waiter);
        goOn();
        return waiter.answer
                .completeOnTimeout(Optional.empty(), max.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((answer, failure) -> waiting.remove(waiter));
    }

    private void goOn() {
        if (!waiting.isEmpty() && looking.compareAndSet(false, true)) {
            CompletableFuture.delayedExecutor(interval.toMillis(), TimeUnit.MILLISECONDS)
                    .execute(this::lookOnce);
        }
    }

    private void lookOnce() {
        // Within the stage, so that a look that throws is a look that fails.
        CompletableFuture.completedStage(interval)
                .thenCompose(passed -> look.get())
                .whenComplete((value, failure) -> {
                    waiting.forEach(waiter -> waiter.saw(value, failure));
                    looking.set(false);
                    goOn();
                });
    }
}
