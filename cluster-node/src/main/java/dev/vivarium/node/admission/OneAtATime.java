package dev.vivarium.node.admission;

import dev.vivarium.protocol.run.Blob;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Runs tasks with the same key in sequence and those with different keys concurrently. Holds one entry for each key in
 * use, so at most one for each open request.
 */
final class OneAtATime {
    private final ConcurrentHashMap<Blob, CompletableFuture<?>> last = new ConcurrentHashMap<>();

    <T> CompletionStage<T> after(Blob key, Supplier<CompletionStage<T>> work) {
        CompletableFuture<T> mine = new CompletableFuture<>();
        CompletableFuture<?> before = last.put(key, mine);
        CompletionStage<?> turn = before == null ? CompletableFuture.completedStage(key) : before.handle((x, y) -> key);
        turn.thenCompose(itsTurn -> work.get()).whenComplete((result, failure) -> {
            last.remove(key, mine);
            if (failure == null) {
                mine.complete(result);
            } else {
                mine.completeExceptionally(failure);
            }
        });
        return mine;
    }
}
