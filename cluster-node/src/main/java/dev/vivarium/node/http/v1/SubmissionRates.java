package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Endpoint;
import dev.vivarium.node.tenant.Rates;

/**
 * Refuses submissions of tenants that submit too fast by the heads of their requests: before the body is received, read, and
 * looked at. Counts nothing; whoever passes is counted when the submission is known to be valid and new. Callers for all
 * tenants pass, since only the body says whose run it is.
 */
final class SubmissionRates {
    private final Rates rates;
    private final QuotaRefusals refusals;

    SubmissionRates(Rates rates, QuotaRefusals refusals) {
        this.rates = rates;
        this.refusals = refusals;
    }

    Endpoint ahead(Endpoint submissions) {
        return refusals.ahead(
                submissions,
                (exchange, tenant) ->
                        exchange.request().getHeader("Idempotency-Key").isPresent()
                                ? rates.lookUp(tenant)
                                : rates.look(tenant));
    }
}
