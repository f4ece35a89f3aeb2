package dev.vivarium.node.run;

import dev.vivarium.protocol.auth.Principal;
import java.time.Duration;
import java.time.Instant;

/**
 * The caller of a request, and how long it waits.
 *
 * @param principal recorded in the events that the request causes
 * @param deadline when the caller stops waiting; a run ignores the request after it
 */
public record Caller(Principal principal, Instant deadline) {
    /** When to stop waiting for an answer that is given a certain time at most. */
    public Instant until(Instant now, Duration most) {
        Instant latest = now.plus(most);
        return deadline.isBefore(latest) ? deadline : latest;
    }
}
