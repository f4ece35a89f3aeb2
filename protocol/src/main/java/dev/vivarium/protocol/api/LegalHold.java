package dev.vivarium.protocol.api;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Instant;
import java.util.Optional;

/**
 * A legal hold: nothing that is kept of the tenant's runs is deleted while it is there.
 *
 * @param reason why, for those who find it later
 * @param putBy who put it, or gave it this reason
 * @param putAt when
 */
public record LegalHold(Tenant tenant, Optional<String> reason, Principal putBy, Instant putAt) {
    /** The longest reason, in characters. */
    public static final int REASON_MAX = 500;
}
