package dev.vivarium.node.access.oidc;

import java.io.Serial;

/** An issuer's keys cannot be had, so its tokens can be neither accepted nor refused. */
final class IssuerUnavailable extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param why a sentence for the operator */
    IssuerUnavailable(String why, Throwable cause) {
        super(why, cause);
    }
}
