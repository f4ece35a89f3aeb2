package dev.vivarium.node.http.v1;

import dev.vivarium.node.access.TokenWish;
import dev.vivarium.node.access.Tokens;
import dev.vivarium.node.access.Tokens.Issuing;
import dev.vivarium.node.admission.TokenReader;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.store.TokenStore.ListedToken;
import dev.vivarium.persistence.store.TokenStore.StoredToken;
import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.api.NewToken;
import dev.vivarium.protocol.api.TokenList;
import dev.vivarium.protocol.api.TokenView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Makes tokens, lists them, replaces them and ends them. */
final class TokensEndpoint {
    private static final Duration OVERLAP_MAX = Duration.ofDays(7);

    private final JsonBodies bodies;
    private final TokenReader reader;
    private final Tokens tokens;

    TokensEndpoint(JsonBodies bodies, Tokens tokens) {
        this.bodies = bodies;
        this.reader = new TokenReader(tokens.settings());
        this.tokens = tokens;
    }

    CompletionStage<HttpResponse> create(Exchange exchange) {
        return bodies.take(exchange, body -> created(exchange, body), Function.identity());
    }

    private CompletionStage<HttpResponse> created(Exchange exchange, byte[] body) {
        TokenReader.Reading reading = reader.read(body);
        if (reading instanceof TokenReader.Reading.Malformed malformed) {
            return done(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof TokenReader.Reading.Invalid invalid) {
            return done(Answers.problem(
                    ProblemType.INVALID_TOKEN, "Correct the fields that are named in errors.", invalid.errors()));
        }
        TokenWish wish = ((TokenReader.Reading.Valid) reading).wish();
        return tokens.issue(wish, Callers.requester(exchange)).thenApply(TokensEndpoint::issued);
    }

    CompletionStage<HttpResponse> rotate(Exchange exchange) {
        QueryReader query = new QueryReader(exchange.request(), Set.of("overlap", "form"));
        Duration overlap = query.time("overlap", OVERLAP_MAX).orElse(Duration.ZERO);
        TokenSeal.Form form = query.word("form", TokenWish.FORMS).orElse(TokenSeal.Form.VIV);
        Optional<HttpResponse> refusal = query.refusal();
        if (refusal.isPresent()) {
            return done(refusal.get());
        }
        return named(exchange, id -> tokens.rotate(id, overlap, form, Callers.requester(exchange))
                .thenApply(TokensEndpoint::issued));
    }

    private static HttpResponse issued(Issuing answer) {
        if (answer instanceof Issuing.TooMany full) {
            return Answers.problem(
                    ProblemType.TOO_MANY_TOKENS,
                    "There are " + full.max()
                            + " tokens, the most that there may be: revoke some. Those that have ended"
                            + " are removed after a time (vivarium.tokens.kept).");
        }
        if (answer instanceof Issuing.Made made) {
            return Answers.json(
                    201, new NewToken(made.issued().text(), view(made.issued().token(), Optional.empty())));
        }
        return noSuchToken();
    }

    CompletionStage<HttpResponse> list(Exchange exchange) {
        QueryReader query = new QueryReader(exchange.request(), Set.of("tenant"));
        Optional<Tenant> tenant = query.tenant();
        Optional<HttpResponse> refusal = query.refusal();
        return refusal.isPresent()
                ? done(refusal.get())
                : tokens.list()
                        .thenApply(all -> Answers.json(
                                200,
                                new TokenList(all.stream()
                                        .filter(listed -> tenant.isEmpty()
                                                || listed.token()
                                                        .grant()
                                                        .tenant()
                                                        .equals(tenant.get()))
                                        .map(TokensEndpoint::view)
                                        .toList())));
    }

    CompletionStage<HttpResponse> revoke(Exchange exchange) {
        return named(exchange, id -> tokens.revoke(id, Callers.requester(exchange))
                .thenApply(revoked -> revoked.map(token -> Answers.json(200, view(token, Optional.empty())))
                        .orElseGet(TokensEndpoint::noSuchToken)));
    }

    private static CompletionStage<HttpResponse> named(
            Exchange exchange, Function<TokenId, CompletionStage<HttpResponse>> answer) {
        String id = exchange.parameter("id");
        return TokenId.isValid(id) ? answer.apply(new TokenId(id)) : done(noSuchToken());
    }

    private static HttpResponse noSuchToken() {
        return Answers.problem(
                ProblemType.NO_SUCH_TOKEN,
                "No token of this id is in force; `vivarium token list` has those that are.");
    }

    private static TokenView view(ListedToken listed) {
        return view(listed.token(), listed.usedAt());
    }

    private static TokenView view(StoredToken token, Optional<Instant> usedAt) {
        TokenGrant grant = token.grant();
        return new TokenView(
                token.id(),
                grant.name(),
                grant.tenant(),
                grant.role(),
                grant.scope(),
                grant.by(),
                grant.createdAt(),
                grant.expiresAt(),
                token.revokedAt(),
                usedAt);
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
