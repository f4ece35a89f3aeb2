package dev.vivarium.node.doubles;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.act.Act;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiFunction;
import org.apache.pekko.Done;

/** Acts in a list, in the order in which they were recorded. */
public final class ListedActs implements Acts {
    public static final Instant AT = Instant.parse("2026-12-02T12:00:00Z");

    public final List<Act> all = new CopyOnWriteArrayList<>();
    /** Whether the store takes none. */
    public volatile boolean isAway;

    @Override
    public CompletionStage<Done> record(BiFunction<Instant, String, Act> act) {
        if (isAway) {
            return CompletableFuture.failedStage(new StoreUnavailable("The store is away."));
        }
        all.add(act.apply(AT, "node-1"));
        return CompletableFuture.completedStage(Done.getInstance());
    }

    @Override
    public void note(BiFunction<Instant, String, Act> act) {
        record(act);
    }
}
