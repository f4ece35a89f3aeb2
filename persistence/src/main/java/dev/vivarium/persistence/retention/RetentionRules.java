package dev.vivarium.persistence.retention;

import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.Optional;

/** How long what remains of runs is kept after their end. */
public interface RetentionRules {
    /** For a tenant's runs; empty for ever. */
    Optional<Duration> kept(Tenant tenant, Kind kind);

    /** How long a tenant's runs are kept with their events, and so with all else of them; empty for ever. */
    Optional<Duration> eventsKept(Tenant tenant);

    /** The shortest that any tenant's runs may be kept; empty when all are kept for ever. */
    Optional<Duration> shortestOfEvents();

    /** The shortest that any tenant's may be kept; empty when all are kept for ever. */
    Optional<Duration> shortest(Kind kind);
}
