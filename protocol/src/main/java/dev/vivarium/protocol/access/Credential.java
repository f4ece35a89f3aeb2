package dev.vivarium.protocol.access;

import java.nio.file.attribute.UserPrincipal;
import java.security.cert.X509Certificate;
import java.util.List;

/** What a caller presents to prove who it is. Nothing of it is believed before it has been judged. */
public sealed interface Credential {
    /**
     * A token.
     *
     * @param text of any form
     */
    record Token(String text) implements Credential {
        /** Without the token. */
        @Override
        public String toString() {
            return "Token[]";
        }
    }

    /**
     * A certificate, whose private key the caller has proved to have in the handshake of TLS.
     *
     * @param chain the caller's own, and after it those that it says lead to an authority; never empty
     */
    record Certificate(List<X509Certificate> chain) implements Credential {
        public Certificate {
            if (chain.isEmpty()) {
                throw new IllegalArgumentException("A chain begins with the caller's own certificate.");
            }
            chain = List.copyOf(chain);
        }

        /** The caller's own. */
        public X509Certificate own() {
            return chain.get(0);
        }
    }

    /**
     * A user of the node's own machine, at the other end of its socket.
     *
     * @param user as the kernel knows it
     */
    record LocalUser(UserPrincipal user) implements Credential {}
}
