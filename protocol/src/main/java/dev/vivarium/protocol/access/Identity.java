package dev.vivarium.protocol.access;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.RunSpec;
import java.util.Optional;

/**
 * An authenticated caller: who it is, and what it may do where. All questions of authorization are put to it.
 *
 * @param principal who it is
 * @param role what it may do
 * @param tenant the tenant that it acts for unless it names another one, which only a role for all tenants may
 * @param scope what it is narrowed to
 * @param token the token by which it was authenticated; empty for the node's local token
 */
public record Identity(Principal principal, Role role, Tenant tenant, Scope scope, Optional<TokenId> token) {
    /** Whoever can read the local token of a node: the operator on its machine. */
    public static final Identity LOCAL_OPERATOR =
            new Identity(Principal.LOCAL_OPERATOR, Role.OPERATOR, Tenant.DEFAULT, Scope.NONE, Optional.empty());

    /** Whether it may do something at all, in its tenants. */
    public boolean may(Permission permission) {
        return role.has(permission);
    }

    /** Whether it may act for a tenant. */
    public boolean mayActFor(Tenant other) {
        return role.reach() == Role.Reach.ALL_TENANTS || tenant.equals(other);
    }

    /** The only tenant that it may act for; empty if it may act for all. */
    public Optional<Tenant> onlyTenant() {
        return role.reach() == Role.Reach.ALL_TENANTS ? Optional.empty() : Optional.of(tenant);
    }

    /** Whether a run exists for it. */
    public boolean sees(RunSpec run) {
        return mayActFor(run.tenant()) && scope.covers(run.labels());
    }
}
