package dev.vivarium.node.http.v1;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.admission.SecretReader;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.NamedSecretTable.Listed;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.NamedSecrets.Putting;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.api.SecretList;
import dev.vivarium.protocol.api.SecretView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Keeps secrets for tenants, lists them without their values, and removes them. No answer has a value. */
final class SecretsEndpoint {
    /** How often it is tried when others put values under the same name at the same time. */
    private static final int TRIES_MAX = 8;

    private final JsonBodies bodies;
    private final SecretReader reader = new SecretReader();
    private final NamedSecrets secrets;
    private final Acts acts;

    SecretsEndpoint(JsonBodies bodies, NamedSecrets secrets, Acts acts) {
        this.bodies = bodies;
        this.secrets = secrets;
        this.acts = acts;
    }

    CompletionStage<HttpResponse> put(Exchange exchange) {
        return bodies.take(exchange, body -> put(exchange, body), Function.identity());
    }

    private CompletionStage<HttpResponse> put(Exchange exchange, byte[] body) {
        SecretReader.Reading reading = reader.read(body, exchange.caller());
        if (reading instanceof SecretReader.Reading.Malformed malformed) {
            return done(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof SecretReader.Reading.Invalid invalid) {
            return done(Answers.problem(
                    ProblemType.INVALID_SECRET, "Correct the fields that are named in errors.", invalid.errors()));
        }
        SecretReader.Wish wish = ((SecretReader.Reading.Valid) reading).wish();
        Optional<HttpResponse> forbidden = forbidden(exchange.caller(), wish.tenant());
        return forbidden.isPresent() ? done(forbidden.get()) : put(wish, Callers.requester(exchange), TRIES_MAX);
    }

    private CompletionStage<HttpResponse> put(SecretReader.Wish wish, Requester by, int tries) {
        return secrets.list(wish.tenant()).thenCompose(all -> {
            Optional<Listed> before = named(all, wish.name());
            if (before.isEmpty() && all.size() >= NamedSecrets.COUNT_MAX) {
                return done(Answers.problem(
                        ProblemType.TOO_MANY_SECRETS,
                        "Tenant " + wish.tenant() + " has " + all.size()
                                + " secrets, the most that it may have: remove some that no run uses any more."));
            }
            return put(wish, before.map(Listed::version).orElse(0L) + 1, by, tries);
        });
    }

    private CompletionStage<HttpResponse> put(SecretReader.Wish wish, long version, Requester by, int tries) {
        return acts.record((at, node) ->
                        new Act.SecretPut(at, node, by.principal(), by.origin(), wish.tenant(), wish.name(), version))
                .thenCompose(
                        recorded -> secrets.put(wish.tenant(), wish.name(), version, wish.cleartext(), by.principal()))
                .thenCompose(answer -> {
                    if (answer instanceof Putting.Done put) {
                        return done(Answers.json(201, view(put.secret())));
                    }
                    return tries > 1
                            ? put(wish, by, tries - 1)
                            : CompletableFuture.failedStage(new StoreUnavailable("The secret " + wish.name()
                                    + " is being changed by others again and again: try once more."));
                });
    }

    CompletionStage<HttpResponse> list(Exchange exchange) {
        return ofTenant(exchange, tenant -> secrets.list(tenant)
                .thenApply(all -> Answers.json(
                        200,
                        new SecretList(all.stream().map(SecretsEndpoint::view).toList()))));
    }

    CompletionStage<HttpResponse> remove(Exchange exchange) {
        Requester by = Callers.requester(exchange);
        String name = exchange.parameter("name");
        return ofTenant(exchange, tenant -> secrets.list(tenant).thenCompose(all -> {
            Optional<Listed> listed = SecretName.isValid(name) ? named(all, new SecretName(name)) : Optional.empty();
            return listed.map(secret -> remove(secret, by))
                    .orElseGet(
                            () -> done(
                                    Answers.problem(
                                            ProblemType.NO_SUCH_SECRET,
                                            "The tenant has no secret of this name; `vivarium secret list` has those that there are.")));
        }));
    }

    private CompletionStage<HttpResponse> remove(Listed secret, Requester by) {
        return acts.record((at, node) ->
                        new Act.SecretRemoved(at, node, by.principal(), by.origin(), secret.tenant(), secret.name()))
                .thenCompose(recorded -> secrets.remove(secret.tenant(), secret.name()))
                .thenApply(removed -> Answers.json(200, view(secret)));
    }

    private static CompletionStage<HttpResponse> ofTenant(
            Exchange exchange, Function<Tenant, CompletionStage<HttpResponse>> answer) {
        QueryReader query = new QueryReader(exchange.request(), Set.of("tenant"));
        Tenant tenant = query.tenant().orElse(exchange.caller().tenant());
        Optional<HttpResponse> refusal = query.refusal().or(() -> forbidden(exchange.caller(), tenant));
        return refusal.isPresent() ? done(refusal.get()) : answer.apply(tenant);
    }

    private static Optional<HttpResponse> forbidden(Identity caller, Tenant tenant) {
        if (!caller.mayActFor(tenant)) {
            return Optional.of(Answers.problem(
                    ProblemType.FORBIDDEN,
                    "Your token is for tenant " + caller.tenant() + ": leave out the tenant, or name that one."));
        }
        return caller.scope().equals(Scope.NONE)
                ? Optional.empty()
                : Optional.of(Answers.problem(
                        ProblemType.FORBIDDEN,
                        "Secrets are those of a whole tenant, and your token is narrowed to a part of it: ask with"
                                + " another token."));
    }

    private static Optional<Listed> named(List<Listed> all, SecretName name) {
        return all.stream().filter(secret -> secret.name().equals(name)).findFirst();
    }

    private static SecretView view(Listed secret) {
        return new SecretView(
                secret.name(), secret.tenant(), secret.version(), secret.putBy(), secret.putAt(), secret.usedAt());
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
