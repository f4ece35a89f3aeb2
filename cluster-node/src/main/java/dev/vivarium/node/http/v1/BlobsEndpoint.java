package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.http.server.Uploads;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.BlobStore.Written;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.api.BlobView;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Accepts contents of files by digest, so that a submission can refer to contents too large for its body, and reports
 * which exist. A content belongs to a tenant; other tenants' contents are invisible.
 */
final class BlobsEndpoint {
    private final Materializer streams;
    private final Uploads uploads;
    private final BlobStore blobs;
    private final Runs runs;
    private final QuotaRefusals refusals;

    /** @param runs knows what tenants use of their quotas */
    BlobsEndpoint(ActorSystem<?> system, Uploads uploads, BlobStore blobs, Runs runs, QuotaRefusals refusals) {
        this.streams = Materializer.matFromSystem(system);
        this.uploads = uploads;
        this.blobs = blobs;
        this.runs = runs;
        this.refusals = refusals;
    }

    /** Whether a tenant may keep so much more. */
    private sealed interface Room {
        /** It may: so much is reserved until the upload has ended. */
        record Reserved(long bytes) implements Room {}

        /** It would be over its quota. */
        record None(QuotaExcess excess) implements Room {}
    }

    /** Streams the body to the store. Idempotent: an interrupted upload is sent again. */
    CompletionStage<HttpResponse> put(Exchange exchange) {
        return named(
                exchange,
                (tenant, digest) -> uploads.answer(exchange, content -> {
                    Room room = room(tenant, exchange.request().entity().getContentLengthOption());
                    return room instanceof Room.Reserved reserved
                            ? write(tenant, digest, reserved.bytes, content)
                                    .thenCompose(answer -> afterTheBody(exchange, answer, content))
                            : withoutRoom(tenant, digest, ((Room.None) room).excess);
                }));
    }

    /**
     * A content that is there already is received too, unless its client waits to be asked for it: many clients go on to send when
     * they are answered early, and some of them for ever.
     */
    private CompletionStage<HttpResponse> afterTheBody(
            Exchange exchange, HttpResponse answer, Source<ByteString, NotUsed> content) {
        return answer.status().equals(StatusCodes.OK)
                        && exchange.request().getHeader("Expect").isEmpty()
                ? content.runWith(Sink.ignore(), streams).handle((done, cutOff) -> answer)
                : CompletableFuture.completedStage(answer);
    }

    /** Of a content whose length is not said in advance, as much is accepted as there is room for. */
    private Room room(Tenant tenant, OptionalLong length) {
        long bytes = length.orElseGet(() -> runs.excess(tenant, TenantUse.ofKept(uploads.bytesMax()))
                .filter(excess -> excess.quota() == Quota.KEPT)
                .map(excess -> Math.max(1, excess.limit() - excess.used()))
                .orElse(uploads.bytesMax()));
        return runs.reserve(tenant, TenantUse.ofKept(bytes))
                .<Room>map(Room.None::new)
                .orElseGet(() -> new Room.Reserved(bytes));
    }

    private CompletionStage<HttpResponse> write(
            Tenant tenant, Digest digest, long bytesMax, Source<ByteString, NotUsed> content) {
        return blobs.write(tenant, digest, bytesMax, content, streams)
                .whenComplete((written, failure) -> runs.unreserve(tenant, TenantUse.ofKept(bytesMax)))
                .thenApply(written -> written instanceof Written.TooLarge && bytesMax < uploads.bytesMax()
                        ? overRoom(tenant, bytesMax)
                        : answer(digest, written));
    }

    private HttpResponse overRoom(Tenant tenant, long bytesMax) {
        return runs.excess(tenant, TenantUse.ofKept(bytesMax + 1))
                .map(refusals::answer)
                .orElseGet(() -> Answers.problem(
                        ProblemType.BODY_TOO_LARGE,
                        "The tenant's quota had room for " + bytesMax + " bytes when this began: send it again."));
    }

    /** What the tenant has already needs no room. */
    private CompletionStage<HttpResponse> withoutRoom(Tenant tenant, Digest digest, QuotaExcess excess) {
        return blobs.sizes(tenant, Set.of(digest)).thenApply(sizes -> Optional.ofNullable(sizes.get(digest))
                .map(bytes -> answer(digest, new Written.PresentBefore(bytes)))
                .orElseGet(() -> refusals.answer(excess)));
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

    /** The tenant and the digest that a request names. */
    static CompletionStage<HttpResponse> named(
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
