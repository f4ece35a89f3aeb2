package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** What a store answers to a sweep, which waits for it on a thread of its own. */
public final class StoreAnswer {
    private static final long SECONDS_MAX = 60;

    private StoreAnswer() {}

    /**
     * Waits for an answer, for a minute at most.
     *
     * @throws StoreUnavailable when there is none; other failures are those of the stage
     */
    public static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture()
                    .orTimeout(SECONDS_MAX, TimeUnit.SECONDS)
                    .join();
        } catch (CompletionException failed) {
            throw failed.getCause() instanceof RuntimeException cause
                    ? cause
                    : new StoreUnavailable("The store does not answer.", failed);
        }
    }
}
