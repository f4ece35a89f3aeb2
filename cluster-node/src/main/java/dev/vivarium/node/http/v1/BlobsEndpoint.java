package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.http.server.Uploads;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.BlobStore.Written;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.api.BlobView;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.Materializer;

/**
 * Accepts contents of files by digest, so that a submission can refer to contents too large for its body, and reports
 * which exist. A content belongs to a tenant; other tenants' contents are invisible.
 */
final class BlobsEndpoint {
    private final Materializer streams;
    private final Uploads uploads;
    private final BlobStore blobs;

    BlobsEndpoint(ActorSystem<?> system, Uploads uploads, BlobStore blobs) {
        this.streams = Materializer.matFromSystem(system);
        this.uploads = uploads;
        this.blobs = blobs;
    }

    /** Streams the body to the store. Idempotent: an interrupted upload is sent again. */
    CompletionStage<HttpResponse> put(Exchange exchange) {
        return named(
                exchange,
                (tenant, digest) -> uploads.answer(
                        exchange, content -> blobs.write(tenant, digest, uploads.bytesMax(), content, streams)
                                .thenApply(written -> answer(digest, written))));
    }

    private HttpResponse answer(Digest digest, Written written) {
        if (written instanceof Written.Stored stored) {
            return Answers.json(201, new BlobView(digest, stored.bytes()));
        }
        if (written instanceof Written.PresentBefore before) {
            return Answers.json(200, new BlobView(digest, before.bytes()));
        }
        if (written instanceof Written.Mismatch mismatch) {
            return Answers.problem(
                    ProblemType.DIGEST_MISMATCH,
                    "The " + mismatch.bytes() + " bytes of the body have the SHA-256 digest " + mismatch.actual()
                            + ": send them under that one, or the content that was meant.");
        }
        if (written instanceof Written.CutOff cutOff) {
            return Answers.problem(
                    ProblemType.MALFORMED_REQUEST,
                    "The body was cut off after " + cutOff.bytes() + " bytes: send it again.");
        }
        return uploads.tooLarge();
    }

    /** Whether the content exists. */
    CompletionStage<HttpResponse> head(Exchange exchange) {
        return named(exchange, (tenant, digest) -> blobs.sizes(tenant, Set.of(digest))
                .thenApply(sizes -> sizes.containsKey(digest)
                        ? HttpResponse.create()
                        : Answers.problem(
                                ProblemType.NO_SUCH_BLOB, "The tenant has no content of this digest: upload it.")));
    }

    private CompletionStage<HttpResponse> named(
            Exchange exchange, BiFunction<Tenant, Digest, CompletionStage<HttpResponse>> answer) {
        QueryReader reader = new QueryReader(exchange.request(), Set.of("tenant"));
        Identity caller = exchange.caller();
        Tenant tenant = reader.tenant().orElse(caller.tenant());
        Optional<Digest> digest = digest(exchange.parameter("digest"));
        if (digest.isEmpty()) {
            return CompletableFuture.completedStage(Answers.problem(
                    ProblemType.INVALID_DIGEST,
                    "A content is named by its SHA-256 digest.",
                    List.of(new FieldError("digest", "must be 64 lower-case hexadecimal digits"))));
        }
        return reader.refusal()
                .or(() -> caller.mayActFor(tenant) ? Optional.empty() : Optional.of(foreign(caller)))
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() -> answer.apply(tenant, digest.get()));
    }

    private static HttpResponse foreign(Identity caller) {
        return Answers.problem(
                ProblemType.FORBIDDEN, "Your token is for tenant " + caller.tenant() + ", and for no other one.");
    }

    private static Optional<Digest> digest(String text) {
        try {
            return Optional.of(Digest.parse(text));
        } catch (IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }
}
