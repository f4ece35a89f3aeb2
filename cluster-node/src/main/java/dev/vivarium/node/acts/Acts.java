package dev.vivarium.node.acts;

import dev.vivarium.protocol.act.Act;
import java.time.Instant;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.apache.pekko.Done;

/**
 * The record of administrative acts. What somebody asks for is recorded before it is carried out; an act that cannot be
 * recorded is not carried out. Thread-safe.
 */
public interface Acts {
    /**
     * Records an act; the stage completes once it is durable, and fails with {@link
     * dev.vivarium.persistence.journal.StoreUnavailable} when it cannot be.
     *
     * @param act makes it of the time and of this node's name
     */
    CompletionStage<Done> record(BiFunction<Instant, String, Act> act);

    /** Records what happened by itself; where the store does not take it, the log has it alone. */
    void note(BiFunction<Instant, String, Act> act);
}
