package dev.vivarium.protocol.access;

import java.time.Instant;
import java.util.Optional;

/**
 * A tenant's key for the signatures of webhooks, without the secret, which follows from it and from a master key of the
 * installation.
 *
 * @param id random digits
 * @param master the name of the master key that it was made with
 * @param madeAt when it was made
 * @param endsAt when it stops signing, if a later one replaces it
 */
public record WebhookKey(String id, String master, Instant madeAt, Optional<Instant> endsAt) {
    /** Whether it signs at a time. */
    public boolean signsAt(Instant time) {
        return endsAt.map(time::isBefore).orElse(true);
    }
}
