package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Authentication;
import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Tells whose a token is. */
@FunctionalInterface
public interface Authenticator {
    /**
     * Whose the token is; a failed stage becomes a problem response.
     *
     * @param token what the client presents, of any form
     * @param from where the request comes from, if that is known
     */
    CompletionStage<Authentication> authenticate(String token, Optional<InetAddress> from);
}
