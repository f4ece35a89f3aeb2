package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.retention.Deletions;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunState;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;

/** Deletes what is kept of ended runs, and contents that no run has. What is gone already is deleted again without a word. */
final class DeletionsEndpoint {
    private final RunLookup lookup;
    private final BlobStore blobs;
    private final Deletions deletions;

    DeletionsEndpoint(RunLookup lookup, BlobStore blobs, Deletions deletions) {
        this.lookup = lookup;
        this.blobs = blobs;
        this.deletions = deletions;
    }

    CompletionStage<HttpResponse> output(Exchange exchange) {
        return ofRun(exchange, Kind.OUTPUT);
    }

    CompletionStage<HttpResponse> artifacts(Exchange exchange) {
        return ofRun(exchange, Kind.ARTIFACTS);
    }

    private CompletionStage<HttpResponse> ofRun(Exchange exchange, Kind kind) {
        Optional<HttpResponse> refusal = new QueryReader(exchange.request(), Set.of()).refusal();
        return refusal.isPresent()
                ? done(refusal.get())
                : lookup.answer(
                        exchange,
                        run -> run instanceof RunState.Finished over
                                ? deletions
                                        .delete(kind, over, Callers.requester(exchange))
                                        .thenApply(answer -> answer(
                                                answer, over.submission().spec().tenant()))
                                : done(notEnded(kind)));
    }

    private static HttpResponse notEnded(Kind kind) {
        return Answers.problem(
                ProblemType.RUN_NOT_ENDED,
                "Its " + kind.name().toLowerCase(Locale.ROOT)
                        + " can be deleted when it has ended: wait for that, or cancel it.");
    }

    CompletionStage<HttpResponse> blob(Exchange exchange) {
        return BlobsEndpoint.named(
                exchange,
                (tenant, digest) -> exchange.caller().scope().equals(Scope.NONE)
                        ? blob(exchange, tenant, digest)
                        : done(Answers.problem(
                                ProblemType.FORBIDDEN,
                                "Contents are those of a whole tenant, and your token is narrowed to a part of it: ask"
                                        + " with another token.")));
    }

    private CompletionStage<HttpResponse> blob(Exchange exchange, Tenant tenant, Digest digest) {
        return blobs.sizes(tenant, Set.of(digest))
                .thenCompose(sizes -> sizes.containsKey(digest)
                        ? deletions
                                .delete(tenant, digest, Callers.requester(exchange))
                                .thenApply(answer -> answer(answer, tenant))
                        : done(Answers.problem(ProblemType.NO_SUCH_BLOB, "The tenant has no content of this digest.")));
    }

    private static HttpResponse answer(Deletions.Answer answer, Tenant tenant) {
        return switch (answer) {
            case GONE -> HttpResponse.create().withStatus(StatusCodes.NO_CONTENT);
            case HELD -> Answers.problem(
                    ProblemType.HELD,
                    "Tenant " + tenant + " is under a legal hold, so nothing of it is deleted until an operator has"
                            + " removed the hold.");
            case IN_USE -> Answers.problem(
                    ProblemType.BLOB_IN_USE,
                    "A run has this content: as a file that it was submitted with, until it has ended, or as one that was"
                            + " kept of it, until its artifacts are deleted.");
        };
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
