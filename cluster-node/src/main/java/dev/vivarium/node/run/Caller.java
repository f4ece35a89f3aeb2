package dev.vivarium.node.run;

import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The caller of a request, and how long it waits.
 *
 * @param principal recorded in the events that the request causes
 * @param origin where its request came from, recorded there too; empty for what no request caused
 * @param deadline when the caller stops waiting; a run ignores the request after it
 */
public record Caller(Principal principal, Optional<Origin> origin, Instant deadline) {
    /** When to stop waiting for an answer that is given a certain time at most. */
    public Instant until(Instant now, Duration most) {
        Instant latest = now.plus(most);
        return deadline.isBefore(latest) ? deadline : latest;
    }
}
