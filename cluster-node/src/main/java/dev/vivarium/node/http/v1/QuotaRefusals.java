package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.protocol.access.QuotaExcess;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Answers tenants that would be over a quota, and counts them. */
final class QuotaRefusals {
    private final MeterRegistry metrics;

    QuotaRefusals(MeterRegistry metrics) {
        this.metrics = metrics;
    }

    HttpResponse answer(QuotaExcess excess, Duration after) {
        Counter.builder("vivarium.tenant.refusals")
                .description("Requests that were refused because their tenant would be over a quota")
                .tag("tenant", excess.tenant().name())
                .tag("quota", excess.quota().toString())
                .register(metrics)
                .increment();
        return Answers.overQuota(excess, after);
    }
}
