package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.ProblemType;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Counts the requests that currently follow runs or wait for their end, and bounds them: each keeps a connection for as
 * long as its run lives, so that without a bound followers could keep everyone else out.
 */
final class Followers {
    private final int max;
    private final Duration retryAfter;
    private final AtomicInteger count = new AtomicInteger();

    Followers(int max, Duration retryAfter) {
        this.max = max;
        this.retryAfter = retryAfter;
    }

    /** The refusal of one more; streams count once they flow, so that some may pass the limit together. */
    Optional<HttpResponse> refusal() {
        return count.get() < max
                ? Optional.empty()
                : Optional.of(Answers.retryLater(
                        ProblemType.NODE_FULL,
                        "This node serves " + max
                                + " followers, and no more: read without following, or try again later.",
                        retryAfter));
    }

    int count() {
        return count.get();
    }

    /** Counts a request that waits until its answer is there. */
    <T> CompletionStage<T> counted(Supplier<CompletionStage<T>> wait) {
        count.incrementAndGet();
        return wait.get().whenComplete((answer, failure) -> count.decrementAndGet());
    }

    <T, M> Source<T, M> counted(Source<T, M> stream) {
        return stream.watchTermination((materialized, end) -> {
            count.incrementAndGet();
            end.whenComplete((done, failure) -> count.decrementAndGet());
            return materialized;
        });
    }
}
