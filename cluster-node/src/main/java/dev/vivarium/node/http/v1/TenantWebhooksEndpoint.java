package dev.vivarium.node.http.v1;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.admission.WebhookReader;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.tenant.TenantQuotas;
import dev.vivarium.node.webhook.WebhookKeys;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.api.NewWebhookKey;
import dev.vivarium.protocol.api.TenantWebhookView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Webhook;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Shows and sets a tenant's own webhook, and makes the keys that sign. */
final class TenantWebhooksEndpoint {
    private static final Duration OVERLAP_MAX = Duration.ofDays(30);
    private static final Duration OVERLAP = Duration.ofDays(1);

    private final JsonBodies bodies;
    private final WebhookReader reader;
    private final TenantQuotas tenants;
    private final WebhookKeys keys;
    private final Acts acts;

    TenantWebhooksEndpoint(JsonBodies bodies, WebhookReader reader, TenantQuotas tenants, WebhookKeys keys, Acts acts) {
        this.bodies = bodies;
        this.reader = reader;
        this.tenants = tenants;
        this.keys = keys;
        this.acts = acts;
    }

    CompletionStage<HttpResponse> show(Exchange exchange) {
        QueryReader query = new QueryReader(exchange.request(), Set.of());
        return done(query.refusal().or(() -> TenantsEndpoint.misnamed(exchange)).orElseGet(() -> {
            Tenant tenant = new Tenant(exchange.parameter("tenant"));
            return exchange.caller().mayActFor(tenant)
                    ? Answers.json(200, view(tenant))
                    : Answers.problem(
                            ProblemType.FORBIDDEN,
                            "Your token is for tenant " + exchange.caller().tenant()
                                    + ": ask for the webhooks of that one.");
        }));
    }

    CompletionStage<HttpResponse> set(Exchange exchange) {
        return bodies.take(exchange, body -> set(exchange, body), Function.identity());
    }

    private CompletionStage<HttpResponse> set(Exchange exchange, byte[] body) {
        Optional<HttpResponse> misnamed = TenantsEndpoint.misnamed(exchange);
        if (misnamed.isPresent()) {
            return done(misnamed.get());
        }
        WebhookReader.Reading reading = reader.read(body);
        if (reading instanceof WebhookReader.Reading.Malformed malformed) {
            return done(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof WebhookReader.Reading.Invalid invalid) {
            return done(Answers.problem(
                    ProblemType.INVALID_WEBHOOK, "Correct the fields that are named in errors.", invalid.errors()));
        }
        Tenant tenant = new Tenant(exchange.parameter("tenant"));
        Optional<Webhook> webhook = ((WebhookReader.Reading.Valid) reading).webhook();
        Requester by = Callers.requester(exchange);
        return acts.record((at, node) -> new Act.WebhookSet(at, node, by.principal(), by.origin(), tenant, webhook))
                .thenCompose(recorded -> tenants.changeWebhooks(
                        tenant, before -> new TenantWebhooks(webhook, before.keys()), by.principal()))
                .thenApply(change -> answer(change, () -> Answers.json(200, view(tenant))));
    }

    CompletionStage<HttpResponse> makeKey(Exchange exchange) {
        QueryReader query = new QueryReader(exchange.request(), Set.of("overlap"));
        Duration overlap = query.time("overlap", OVERLAP_MAX).orElse(OVERLAP);
        Optional<HttpResponse> refusal = query.refusal().or(() -> TenantsEndpoint.misnamed(exchange));
        if (refusal.isPresent()) {
            return done(refusal.get());
        }
        Tenant tenant = new Tenant(exchange.parameter("tenant"));
        WebhookKeys.Made made = keys.make(tenant);
        Requester by = Callers.requester(exchange);
        return acts.record((at, node) -> new Act.WebhookKeyMade(
                        at,
                        node,
                        by.principal(),
                        by.origin(),
                        tenant,
                        made.key().id()))
                .thenCompose(recorded -> tenants.changeWebhooks(
                        tenant, before -> keys.with(before, made.key(), overlap), by.principal()))
                .thenApply(change -> answer(
                        change,
                        () -> Answers.json(201, new NewWebhookKey(made.secret().reveal(), view(tenant)))));
    }

    private static HttpResponse answer(TenantQuotas.Change change, Supplier<HttpResponse> otherwise) {
        return change instanceof TenantQuotas.Change.TooMany full ? TenantsEndpoint.tooMany(full) : otherwise.get();
    }

    private TenantWebhookView view(Tenant tenant) {
        TenantWebhooks set = tenants.webhooks(tenant);
        return new TenantWebhookView(
                tenant,
                set.fallback(),
                keys.signing(set).stream()
                        .map(key -> new TenantWebhookView.Key(key.id(), key.madeAt(), key.endsAt()))
                        .toList());
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
