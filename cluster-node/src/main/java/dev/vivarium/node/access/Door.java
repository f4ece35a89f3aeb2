package dev.vivarium.node.access;

import dev.vivarium.node.access.oidc.OidcTokens;
import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Identity;
import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Tells whose a presented token is: this machine's operator's, one of the installation's, or an issuer's. Thread-safe. */
public final class Door {
    private final LocalToken local;
    private final Tokens tokens;
    private final OidcTokens issuers;

    public Door(LocalToken local, Tokens tokens, OidcTokens issuers) {
        this.local = local;
        this.tokens = tokens;
        this.issuers = issuers;
    }

    /**
     * Whose the token is.
     *
     * @param from where the request comes from, if that is known
     */
    public CompletionStage<Authentication> authenticate(String token, Optional<InetAddress> from) {
        if (OidcTokens.hasForm(token)) {
            return issuers.authenticate(token);
        }
        if (!local.matches(token)) {
            return tokens.authenticate(token);
        }
        boolean fromThisMachine = from.filter(InetAddress::isLoopbackAddress).isPresent();
        return CompletableFuture.completedStage(
                fromThisMachine
                        ? new Authentication.Known(Identity.LOCAL_OPERATOR)
                        : new Authentication.Refused(
                                "This is the token of a node's own machine, and the request comes from"
                                        + " another one: make a token with `vivarium token create`."));
    }
}
