package dev.vivarium.node.access;

import dev.vivarium.node.access.oidc.OidcTokens;
import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Credential;
import dev.vivarium.protocol.access.Identity;
import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Tells whose a presented credential is: the token of this machine's operator, one of the installation's or of an issuer, a
 * client certificate, or a user of this machine. Thread-safe.
 */
public final class Door {
    private final LocalToken local;
    private final LocalUsers users;
    private final Tokens tokens;
    private final OidcTokens issuers;
    private final Optional<CallerCertificates> certificates;

    /**
     * A door for these callers.
     *
     * @param certificates empty where callers present tokens only
     */
    public Door(
            LocalToken local,
            LocalUsers users,
            Tokens tokens,
            OidcTokens issuers,
            Optional<CallerCertificates> certificates) {
        this.certificates = certificates;
        this.local = local;
        this.users = users;
        this.tokens = tokens;
        this.issuers = issuers;
    }

    /**
     * Whose the credential is.
     *
     * @param from where the request comes from, if that is known
     */
    public CompletionStage<Authentication> authenticate(Credential presented, Optional<InetAddress> from) {
        if (presented instanceof Credential.Certificate certificate) {
            return CompletableFuture.completedStage(
                    certificates
                            .map(known -> known.authenticate(certificate))
                            .orElseGet(
                                    () -> new Authentication.Refused(
                                            "This node knows no callers by certificates (vivarium.http.tls.callers): present a token.")));
        }
        if (presented instanceof Credential.LocalUser user) {
            return CompletableFuture.completedStage(users.authenticate(user));
        }
        return token(((Credential.Token) presented).text(), from);
    }

    private CompletionStage<Authentication> token(String token, Optional<InetAddress> from) {
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
