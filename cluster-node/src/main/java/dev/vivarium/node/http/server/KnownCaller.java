package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import java.util.Optional;

/**
 * A caller that has passed the gate: the key under which its share of the node is counted. A principal's name is not enough, since
 * several tokens, in several tenants, may have the same one.
 */
record KnownCaller(Principal principal, Tenant tenant, Optional<TokenId> token) {
    static KnownCaller of(Identity caller) {
        return new KnownCaller(caller.principal(), caller.tenant(), caller.token());
    }
}
