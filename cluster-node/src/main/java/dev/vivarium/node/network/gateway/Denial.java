package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.DenialReason;
import io.netty.handler.codec.http.HttpResponseStatus;

/**
 * Why a sandbox is denied its request.
 *
 * @param what the requested name or address, or its kind
 * @param port the requested port
 * @param reason the reason
 * @param detail a sentence for the agent's author that says what to do
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
