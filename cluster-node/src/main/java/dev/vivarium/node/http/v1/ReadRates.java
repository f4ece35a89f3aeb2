package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Operation;
import dev.vivarium.node.tenant.Rates;
import dev.vivarium.protocol.access.Quota;
import java.util.Set;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;

/**
 * Keeps tenants to their quota of reads. Callers for all tenants are not counted: an operator has to see what goes on, and
 * does not use up what a tenant has.
 */
final class ReadRates {
    private static final Set<HttpMethod> READS = Set.of(HttpMethods.GET, HttpMethods.HEAD);

    private final Rates rates;
    private final QuotaRefusals refusals;

    ReadRates(Rates rates, QuotaRefusals refusals) {
        this.rates = rates;
        this.refusals = refusals;
    }

    /** The operation, with its callers counted if it reads. */
    Operation counted(Operation operation) {
        if (operation.needs().isEmpty() || !READS.contains(operation.method())) {
            return operation;
        }
        return new Operation(
                operation.method(),
                operation.path(),
                operation.needs(),
                refusals.ahead(operation.endpoint(), (exchange, tenant) -> rates.ask(tenant, Quota.READS)));
    }
}
