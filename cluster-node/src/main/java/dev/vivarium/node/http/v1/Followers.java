package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.auth.Principal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Counts the requests that currently follow runs or wait for their end, and bounds them, in all and for each caller: each
 * keeps a connection for as long as its run lives, so that without bounds followers could keep everyone else out.
 */
final class Followers {
    private final int max;
    private final int maxOfOne;
    private final Duration retryAfter;
    private final AtomicInteger count = new AtomicInteger();
    /** Callers without a follower are not in it. */
    private final Map<Principal, Integer> byCaller = new ConcurrentHashMap<>();

    Followers(int max, int maxOfOne, Duration retryAfter) {
        this.max = max;
        this.maxOfOne = maxOfOne;
        this.retryAfter = retryAfter;
    }

    int count() {
        return count.get();
    }

    /** Those of one caller. */
    Share of(Identity caller) {
        return new Share(caller.principal());
    }

    /** What one caller may follow. */
    final class Share {
        private final Principal caller;

        private Share(Principal caller) {
            this.caller = caller;
        }

        /** The refusal of one more; streams count once they flow, so that some may pass the limits together. */
        Optional<HttpResponse> refusal() {
            if (count.get() >= max) {
                return Optional.of(refusal("This node serves " + max + " followers, and no more"));
            }
            return byCaller.getOrDefault(caller, 0) < maxOfOne
                    ? Optional.empty()
                    : Optional.of(refusal("This node serves " + maxOfOne + " followers of one caller, and no more"));
        }

        private HttpResponse refusal(String why) {
            return Answers.retryLater(
                    ProblemType.NODE_FULL, why + ": read without following, or try again later.", retryAfter);
        }

        /** Counts a request that waits until its answer is there. */
        <T> CompletionStage<T> counted(Supplier<CompletionStage<T>> wait) {
            begin();
            return wait.get().whenComplete((answer, failure) -> end());
        }

        <T, M> Source<T, M> counted(Source<T, M> stream) {
            return stream.watchTermination((materialized, end) -> {
                begin();
                end.whenComplete((done, failure) -> end());
                return materialized;
            });
        }

        private void begin() {
            count.incrementAndGet();
            byCaller.merge(caller, 1, Integer::sum);
        }

        private void end() {
            count.decrementAndGet();
            byCaller.computeIfPresent(caller, (principal, now) -> now == 1 ? null : now - 1);
        }
    }
}
