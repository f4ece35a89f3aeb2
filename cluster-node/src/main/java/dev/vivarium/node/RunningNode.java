package dev.vivarium.node;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** A node that is ready. The caller that started it must stop it, by {@link #drain} or {@link #close}. */
public interface RunningNode extends AutoCloseable {
    /** Where its API answers, with the port that it really got. */
    URI uri();

    /** The token of this machine's operator, if this start has made it. */
    Optional<String> newLocalToken();

    /**
     * Takes no new runs, waits for the live ones, ends those that are left after the given time, and stops. Completes
     * when the node is gone with all its sandboxes. Idempotent; {@link #close} may overtake it.
     */
    CompletionStage<Done> drain(Duration atMost);

    /**
     * Completes when the node is gone, however it was stopped; fails with {@link NodeCutOffException} when its cluster
     * has given it up, and otherwise when it ended by a defect.
     */
    CompletionStage<Done> terminated();

    /**
     * Stops at once: ends what runs, destroys every sandbox and waits, for a bounded time, until that is done.
     * Idempotent.
     */
    @Override
    void close();
}
