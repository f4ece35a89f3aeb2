package dev.vivarium.node.admission;

import dev.vivarium.protocol.run.RunId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Lets works on the same run follow each other, and works on different runs go on side by side. Holds one entry for each
 * run that is being worked on, so at most one for each open request.
 */
final class OneAtATime {
    private final ConcurrentHashMap<RunId, CompletableFuture<?>> last = new ConcurrentHashMap<>();

    <T> CompletionStage<T> after(RunId run, Supplier<CompletionStage<T>> work) {
        CompletableFuture<T> mine = new CompletableFuture<>();
        CompletableFuture<?> before = last.put(run, mine);
        CompletionStage<?> turn = before == null ? CompletableFuture.completedStage(run) : before.handle((x, y) -> run);
        turn.thenCompose(itsTurn -> work.get()).whenComplete((result, failure) -> {
            last.remove(run, mine);
            if (failure == null) {
                mine.complete(result);
            } else {
                mine.completeExceptionally(failure);
            }
        });
        return mine;
    }
}
