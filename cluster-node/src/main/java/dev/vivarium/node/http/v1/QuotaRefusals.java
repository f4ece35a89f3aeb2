package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Endpoint;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.tenant.Rates;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.auth.Tenant;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Answers tenants that would be over a quota, and counts them. */
final class QuotaRefusals {
    /** By then what was deleted is seen: what is kept is measured about so often. */
    private static final Duration KEPT_AFTER = Duration.ofMinutes(1);

    private final MeterRegistry metrics;
    private final Duration retryAfter;
    private final Clock clock;

    QuotaRefusals(MeterRegistry metrics, Duration retryAfter, Clock clock) {
        this.metrics = metrics;
        this.retryAfter = retryAfter;
        this.clock = clock;
    }

    /** The endpoint, ahead of which callers for one tenant are refused when that asks too fast. */
    Endpoint ahead(Endpoint endpoint, BiFunction<Exchange, Tenant, Optional<Rates.TooFast>> asked) {
        return exchange -> exchange.caller()
                .onlyTenant()
                .flatMap(tenant -> asked.apply(exchange, tenant))
                .map(fast -> CompletableFuture.completedStage(answer(fast.excess(), fast.after())))
                .orElseGet(() -> endpoint.answer(exchange));
    }

    /** Answers with the time after which the use is less, as far as that is known. */
    HttpResponse answer(QuotaExcess excess) {
        Duration after =
                switch (excess.quota()) {
                    case EGRESS -> untilMidnight();
                    case KEPT -> KEPT_AFTER;
                    case RUNS, WAITING, MEMORY, CPU, PIDS, DISK, SUBMISSIONS, READS, WEIGHT -> retryAfter;
                };
        return answer(excess, after);
    }

    private Duration untilMidnight() {
        Instant now = clock.instant();
        return Duration.between(now, now.truncatedTo(ChronoUnit.DAYS).plus(1, ChronoUnit.DAYS));
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
