package dev.vivarium.node.http.v1;

import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.run.Caller;
import java.util.Optional;

/** Callers of runs, and those who ask for administrative acts, from requests. */
final class Callers {
    private Callers() {}

    /** The caller of a request, for an operation that needs a permission. */
    static Caller of(Exchange exchange) {
        return new Caller(exchange.caller().principal(), Optional.of(exchange.origin()), exchange.deadline());
    }

    /** Who asks, for an operation that needs a permission. */
    static Requester requester(Exchange exchange) {
        return new Requester(exchange.caller().principal(), exchange.origin());
    }
}
