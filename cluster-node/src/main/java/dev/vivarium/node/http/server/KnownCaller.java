package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import java.util.Optional;

/**
 * A caller, told apart from all others: what has a share for each of them is counted by it. A name alone may be that of several
 * tokens, in several tenants.
 */
record KnownCaller(Principal principal, Tenant tenant, Optional<TokenId> token) {
    static KnownCaller of(Identity caller) {
        return new KnownCaller(caller.principal(), caller.tenant(), caller.token());
    }
}
