package dev.vivarium.node.http.v1;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.admission.HoldReader;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.api.LegalHoldList;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Puts tenants under legal holds, lists these and removes them. */
final class HoldsEndpoint {
    private static final String TENANT_RULE =
            "must be 1 to " + Tenant.NAME_MAX + " characters, none of them a control character";

    private final JsonBodies bodies;
    private final HoldReader reader = new HoldReader();
    private final HoldStore holds;
    private final Acts acts;
    private final Clock clock;

    HoldsEndpoint(JsonBodies bodies, HoldStore holds, Acts acts, Clock clock) {
        this.bodies = bodies;
        this.holds = holds;
        this.acts = acts;
        this.clock = clock;
    }

    /** An auditor sees the hold of its own tenant, as it sees the acts that put it. */
    CompletionStage<HttpResponse> list(Exchange exchange) {
        Identity caller = exchange.caller();
        Optional<HttpResponse> refusal =
                new QueryReader(exchange.request(), Set.of()).refusal().or(() -> narrowed(caller));
        return refusal.isPresent()
                ? done(refusal.get())
                : holds.list()
                        .thenApply(all -> Answers.json(
                                200,
                                new LegalHoldList(all.stream()
                                        .filter(hold -> caller.mayActFor(hold.tenant()))
                                        .toList())));
    }

    private static Optional<HttpResponse> narrowed(Identity caller) {
        return caller.scope().equals(Scope.NONE)
                ? Optional.empty()
                : Optional.of(Answers.problem(
                        ProblemType.FORBIDDEN,
                        "A legal hold is that of a whole tenant, and your token is narrowed to a part of it: ask with"
                                + " another token."));
    }

    CompletionStage<HttpResponse> put(Exchange exchange) {
        return bodies.take(exchange, body -> put(exchange, body), Function.identity());
    }

    private CompletionStage<HttpResponse> put(Exchange exchange, byte[] body) {
        Optional<HttpResponse> misnamed = misnamed(exchange);
        if (misnamed.isPresent()) {
            return done(misnamed.get());
        }
        HoldReader.Reading reading = reader.read(body);
        if (reading instanceof HoldReader.Reading.Malformed malformed) {
            return done(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof HoldReader.Reading.Invalid invalid) {
            return done(Answers.problem(
                    ProblemType.INVALID_HOLD, "Correct the fields that are named in errors.", invalid.errors()));
        }
        Requester by = Callers.requester(exchange);
        LegalHold hold = new LegalHold(
                new Tenant(exchange.parameter("tenant")),
                ((HoldReader.Reading.Valid) reading).reason(),
                by.principal(),
                clock.instant().truncatedTo(ChronoUnit.MILLIS));
        return holds.list().thenCompose(all -> {
            boolean isHeld = all.stream().anyMatch(other -> other.tenant().equals(hold.tenant()));
            return isHeld || all.size() < HoldStore.COUNT_MAX ? put(hold, by) : done(tooMany(all.size()));
        });
    }

    private CompletionStage<HttpResponse> put(LegalHold hold, Requester by) {
        return acts.record((at, node) ->
                        new Act.HoldPut(at, node, by.principal(), by.origin(), hold.tenant(), hold.reason()))
                .thenCompose(recorded -> holds.put(hold))
                .thenApply(put -> Answers.json(200, hold));
    }

    private static HttpResponse tooMany(int count) {
        return Answers.problem(
                ProblemType.TOO_MANY_HOLDS,
                count + " tenants are held, the most that may be: remove a hold that is over, or keep the data of a"
                        + " tenant by `vivarium.retention.tenants` in the configuration.");
    }

    CompletionStage<HttpResponse> remove(Exchange exchange) {
        Optional<HttpResponse> refusal =
                new QueryReader(exchange.request(), Set.of()).refusal().or(() -> misnamed(exchange));
        if (refusal.isPresent()) {
            return done(refusal.get());
        }
        Tenant tenant = new Tenant(exchange.parameter("tenant"));
        Requester by = Callers.requester(exchange);
        return holds.list()
                .thenCompose(all -> all.stream().anyMatch(hold -> hold.tenant().equals(tenant))
                        ? remove(tenant, by)
                        : done(notHeld(tenant)));
    }

    private CompletionStage<HttpResponse> remove(Tenant tenant, Requester by) {
        return acts.record((at, node) -> new Act.HoldRemoved(at, node, by.principal(), by.origin(), tenant))
                .thenCompose(recorded -> holds.remove(tenant))
                .thenApply(
                        removed -> removed.map(hold -> Answers.json(200, hold)).orElseGet(() -> notHeld(tenant)));
    }

    private static HttpResponse notHeld(Tenant tenant) {
        return Answers.problem(
                ProblemType.NO_SUCH_HOLD,
                "No hold was put for tenant " + tenant
                        + "; `vivarium audit hold list` has those that there are, besides"
                        + " those of the configuration.");
    }

    private static Optional<HttpResponse> misnamed(Exchange exchange) {
        return Tenant.isValid(exchange.parameter("tenant"))
                ? Optional.empty()
                : Optional.of(Answers.problem(
                        ProblemType.INVALID_TENANT,
                        "The name of a tenant " + TENANT_RULE + ".",
                        List.of(new FieldError("tenant", TENANT_RULE))));
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
