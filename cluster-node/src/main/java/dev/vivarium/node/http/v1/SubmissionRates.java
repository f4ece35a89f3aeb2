package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Endpoint;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.tenant.Rates;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.http.javadsl.model.HttpResponse;

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
        return exchange ->
                refusal(exchange).map(CompletableFuture::completedStage).orElseGet(() -> submissions.answer(exchange));
    }

    private Optional<HttpResponse> refusal(Exchange exchange) {
        boolean mayBeRepeated = exchange.request().getHeader("Idempotency-Key").isPresent();
        return exchange.caller()
                .onlyTenant()
                .flatMap(tenant -> mayBeRepeated ? rates.lookUp(tenant) : rates.look(tenant))
                .map(fast -> refusals.answer(fast.excess(), fast.after()));
    }
}
