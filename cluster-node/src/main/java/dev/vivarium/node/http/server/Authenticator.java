package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Credential;
import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Tells whose a credential is. */
@FunctionalInterface
public interface Authenticator {
    /**
     * Whose the credential is; a failed stage becomes a problem response.
     *
     * @param presented what the client presents
     * @param from where the request comes from, if that is known
     */
    CompletionStage<Authentication> authenticate(Credential presented, Optional<InetAddress> from);
}
