package dev.vivarium.node.http.v1;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.admission.QuotaReader;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.tenant.TenantQuotas;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.api.TenantList;
import dev.vivarium.protocol.api.TenantUsage;
import dev.vivarium.protocol.api.TenantUsage.OfQuota;
import dev.vivarium.protocol.api.TenantUsage.Source;
import dev.vivarium.protocol.auth.Tenant;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Shows what tenants use of their quotas, lists tenants, and sets quotas. */
final class TenantsEndpoint {
    private final JsonBodies bodies;
    private final TenantQuotas quotas;
    private final Acts acts;
    private final Runs runs;
    private final PrometheusMeterRegistry metrics;
    private final QuotaReader reader = new QuotaReader();

    TenantsEndpoint(JsonBodies bodies, TenantQuotas quotas, Runs runs, Acts acts, PrometheusMeterRegistry metrics) {
        this.metrics = metrics;
        this.bodies = bodies;
        this.quotas = quotas;
        this.acts = acts;
        this.runs = runs;
    }

    CompletionStage<HttpResponse> list(Exchange exchange) {
        QueryReader query = new QueryReader(exchange.request(), Set.of());
        return done(query.refusal().orElseGet(() -> {
            Set<Tenant> tenants = new TreeSet<>(quotas.tenants());
            tenants.addAll(runs.tenants());
            return Answers.json(
                    200, new TenantList(tenants.stream().map(this::usageOf).toList()));
        }));
    }

    HttpResponse metrics() {
        return Answers.metrics(metrics.scrape());
    }

    CompletionStage<HttpResponse> usage(Exchange exchange) {
        QueryReader query = new QueryReader(exchange.request(), Set.of());
        String name = exchange.parameter("tenant");
        Identity caller = exchange.caller();
        return done(query.refusal().or(() -> misnamed(name)).orElseGet(() -> {
            Tenant tenant = new Tenant(name);
            if (!caller.mayActFor(tenant)) {
                return Answers.problem(
                        ProblemType.FORBIDDEN,
                        "Your token is for tenant " + caller.tenant() + ": ask for the usage of that one.");
            }
            if (!caller.scope().labels().isEmpty()) {
                return Answers.problem(
                        ProblemType.FORBIDDEN,
                        "Usage is that of a whole tenant, and your token is narrowed to runs with some labels: ask with"
                                + " another token.");
            }
            return Answers.json(200, usageOf(tenant));
        }));
    }

    CompletionStage<HttpResponse> set(Exchange exchange) {
        return bodies.take(exchange, body -> set(exchange, body), Function.identity());
    }

    private CompletionStage<HttpResponse> set(Exchange exchange, byte[] body) {
        String name = exchange.parameter("tenant");
        Optional<HttpResponse> misnamed = misnamed(name);
        if (misnamed.isPresent()) {
            return done(misnamed.get());
        }
        QuotaReader.Reading reading = reader.read(body);
        if (reading instanceof QuotaReader.Reading.Malformed malformed) {
            return done(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof QuotaReader.Reading.Invalid invalid) {
            return done(Answers.problem(
                    ProblemType.INVALID_QUOTAS, "Correct the fields that are named in errors.", invalid.errors()));
        }
        Tenant tenant = new Tenant(name);
        Map<Quota, Optional<Long>> amounts = ((QuotaReader.Reading.Valid) reading).amounts();
        Requester by = Callers.requester(exchange);
        return acts.record((at, node) -> set(at, node, by, tenant, amounts))
                .thenCompose(recorded -> quotas.change(tenant, amounts, by.principal()))
                .thenApply(change -> change instanceof TenantQuotas.Change.TooMany full
                        ? tooMany(full)
                        : Answers.json(200, usageOf(tenant)));
    }

    private static Act.QuotasSet set(
            Instant at, String node, Requester by, Tenant tenant, Map<Quota, Optional<Long>> amounts) {
        Map<String, Long> set = new TreeMap<>();
        List<String> reset = new ArrayList<>();
        amounts.forEach((quota, amount) ->
                amount.ifPresentOrElse(one -> set.put(quota.toString(), one), () -> reset.add(quota.toString())));
        return new Act.QuotasSet(at, node, by.principal(), by.origin(), tenant, set, reset);
    }

    static HttpResponse tooMany(TenantQuotas.Change.TooMany full) {
        return Answers.problem(
                ProblemType.TOO_MANY_TENANTS,
                "Something is set for " + full.max() + " tenants, the most that there may be"
                        + " (vivarium.tenants.count-max).");
    }

    static Optional<HttpResponse> misnamed(Exchange exchange) {
        return misnamed(exchange.parameter("tenant"));
    }

    /** Nothing is set for a tenant whose name looks like another's. */
    private static Optional<HttpResponse> misnamed(String name) {
        return Tenant.isPlain(name)
                ? Optional.empty()
                : Optional.of(Answers.problem(
                        ProblemType.INVALID_TENANT,
                        "The name of a tenant " + Tenant.PLAIN_RULE + ".",
                        List.of(new FieldError("tenant", Tenant.PLAIN_RULE))));
    }

    private TenantUsage usageOf(Tenant tenant) {
        Quotas held = quotas.of(tenant);
        TenantUse use = runs.usedBy(tenant);
        Optional<TenantSettings> settings = quotas.settings(tenant);
        return new TenantUsage(
                tenant,
                Arrays.stream(Quota.values())
                        .map(quota -> new OfQuota(
                                quota, quota.unit(), limit(held, quota), use.of(quota), source(tenant, quota)))
                        .toList(),
                settings.map(TenantSettings::by),
                settings.map(TenantSettings::at));
    }

    private static OptionalLong limit(Quotas held, Quota quota) {
        long limit = held.of(quota);
        return limit == Quota.UNLIMITED ? OptionalLong.empty() : OptionalLong.of(limit);
    }

    private Source source(Tenant tenant, Quota quota) {
        if (quotas.set(tenant).amounts().containsKey(quota)) {
            return Source.SET;
        }
        return quotas.configured(tenant).amounts().containsKey(quota) ? Source.CONFIGURED : Source.DEFAULT;
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
