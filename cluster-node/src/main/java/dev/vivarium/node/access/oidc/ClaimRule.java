package dev.vivarium.node.access.oidc;

import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.auth.Tenant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives tokens with a claim a role in a tenant.
 *
 * @param condition the claim that a token must have; empty for all tokens of the issuer
 * @param role what its caller may do
 * @param tenant where
 */
record ClaimRule(Optional<Condition> condition, Role role, In tenant) {
    /** A claim that is this text, or a list that has it. */
    record Condition(String claim, String value) {
        boolean holds(Map<String, Object> claims) {
            Object found = claims.get(claim);
            return value.equals(found) || (found instanceof List<?> several && several.contains(value));
        }
    }

    /** The tenant of a caller. */
    sealed interface In {
        /** This one. */
        record Named(Tenant tenant) implements In {}

        /** The one that a claim names. */
        record OfClaim(String claim) implements In {}
    }

    boolean applies(Map<String, Object> claims) {
        return condition.map(one -> one.holds(claims)).orElse(true);
    }

    /** The caller's tenant; empty when the claim that should name it is no text, or no name for a tenant. */
    Optional<Tenant> tenantOf(Map<String, Object> claims) {
        if (tenant instanceof In.Named named) {
            return Optional.of(named.tenant());
        }
        return Optional.ofNullable(claims.get(((In.OfClaim) tenant).claim()))
                .filter(String.class::isInstance)
                .map(String.class::cast)
                .filter(Tenant::isPlain)
                .map(Tenant::new);
    }
}
