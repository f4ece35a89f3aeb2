package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.DenialReason;
import io.netty.handler.codec.http.HttpResponseStatus;

/**
 * Why a sandbox is not given what it wants.
 *
 * @param what the name or address that was wanted, or what kind of thing it was
 * @param port the port that was wanted
 * @param reason why not
 * @param detail a sentence for whoever wrote the agent, that says what to do
 */
record Denial(String what, int port, DenialReason reason, String detail) {
    static Denial of(Target target, DenialReason reason, String detail) {
        return new Denial(target.host(), target.port(), reason, detail);
    }

    static Denial malformed(int port, String detail) {
        return new Denial("a request that is not in order", port, DenialReason.MALFORMED, detail);
    }

    HttpResponseStatus status() {
        return switch (reason) {
            case MALFORMED, NAME_MISMATCH -> HttpResponseStatus.BAD_REQUEST;
            case UNREACHABLE -> HttpResponseStatus.BAD_GATEWAY;
            case NOT_LISTED, INTERNAL_ADDRESS, TOO_MANY -> HttpResponseStatus.FORBIDDEN;
        };
    }
}
