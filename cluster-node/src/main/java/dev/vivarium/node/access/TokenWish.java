package dev.vivarium.node.access;

import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What a token shall grant.
 *
 * @param name its principal's name; its id when it has none
 * @param life how long it shall hold
 * @param form its prefix
 */
public record TokenWish(
        Optional<String> name, Tenant tenant, Role role, Scope scope, Duration life, TokenSeal.Form form) {
    /** The prefixes of tokens, by the names that requests have for them. */
    public static final Map<String, TokenSeal.Form> FORMS =
            Map.of("viv", TokenSeal.Form.VIV, "e2b", TokenSeal.Form.E2B);
}
