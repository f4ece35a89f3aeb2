package dev.vivarium.node.http.v1;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.stream.javadsl.Source;

/** Counts the streams that follow runs right now. */
final class Followers {
    private final AtomicInteger count = new AtomicInteger();

    int count() {
        return count.get();
    }

    <T, M> Source<T, M> counted(Source<T, M> stream) {
        return stream.watchTermination((materialized, end) -> {
            count.incrementAndGet();
            end.whenComplete((done, failure) -> count.decrementAndGet());
            return materialized;
        });
    }
}
