package dev.vivarium.node.http.server;

import dev.vivarium.persistence.journal.StageFailure;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.model.headers.TimeoutAccess;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.UniformFanOutShape;
import org.apache.pekko.stream.javadsl.Broadcast;
import org.apache.pekko.stream.javadsl.GraphDSL;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Passes bodies on as streams with back pressure, never whole in memory, with a limit on concurrent ones. A body that
 * is not consumed to its end is still received for a while and discarded: otherwise a client that is still sending
 * would not see why it was refused.
 */
public final class Uploads {
    /** How many bytes beyond the largest body are received and discarded; then the connection is closed. */
    private static final long DISCARDED_BYTES_MAX = 64L << 20;

    private final HttpSettings settings;
    private final AtomicInteger open = new AtomicInteger();

    public Uploads(HttpSettings settings) {
        this.settings = settings;
    }

    /** The largest body that is accepted. */
    public long bytesMax() {
        return settings.upload().maxBytes();
    }

    /** The number of uploads in progress. */
    public int open() {
        return open.get();
    }

    /**
     * Answers a request depending on what happens to its body; answers with a problem when the upload cannot start or
     * is too slow.
     */
    public CompletionStage<HttpResponse> answer(
            Exchange exchange, Function<Source<ByteString, NotUsed>, CompletionStage<HttpResponse>> endpoint) {
        Optional<HttpResponse> refusal = refusal(exchange.request());
        if (refusal.isPresent()) {
            return CompletableFuture.completedStage(refusal.get());
        }
        if (open.incrementAndGet() > settings.upload().atOnce()) {
            open.decrementAndGet();
            return CompletableFuture.completedStage(Answers.retryLater(
                    ProblemType.NODE_FULL, "Too many uploads in progress: try again later.", settings.retryAfter()));
        }
        return taken(exchange.request(), endpoint).whenComplete((answer, failure) -> open.decrementAndGet());
    }

    private Optional<HttpResponse> refusal(HttpRequest request) {
        if (request.getHeader("Content-Encoding")
                .filter(header -> !header.value().equalsIgnoreCase("identity"))
                .isPresent()) {
            return Optional.of(Answers.problem(
                            ProblemType.UNSUPPORTED_MEDIA_TYPE, "Send the content as it is, without compression.")
                    .addHeader(RawHeader.create("Accept-Encoding", "identity")));
        }
        return request.entity().getContentLengthOption().orElse(0) > bytesMax()
                ? Optional.of(tooLarge())
                : Optional.empty();
    }

    /** The answer to a body above the limit. */
    public HttpResponse tooLarge() {
        return Answers.problem(
                ProblemType.BODY_TOO_LARGE,
                "A content may have " + bytesMax() + " bytes at most, unless the node's operator sets another limit.");
    }

    private CompletionStage<HttpResponse> taken(
            HttpRequest request, Function<Source<ByteString, NotUsed>, CompletionStage<HttpResponse>> endpoint) {
        Duration timeout = settings.upload().timeout();
        request.getHeader(TimeoutAccess.class)
                .ifPresent(access -> access.timeoutAccess().updateTimeout(timeout.plus(settings.requestTimeout())));
        OpenConnections.of(request).ifPresent(OpenConnections.Place::bodyIsBounded);
        Body body = new Body(request);
        return endpoint.apply(body.content())
                .handle((answer, failure) -> body.received()
                        .thenApply(received -> received == Received.TOO_SLOW ? tooSlow() : answered(answer, failure)))
                .thenCompose(answer -> answer);
    }

    private static HttpResponse answered(HttpResponse answer, Throwable failure) {
        if (failure != null) {
            throw new CompletionException(failure);
        }
        return answer;
    }

    private HttpResponse tooSlow() {
        return Answers.problem(
                ProblemType.BODY_TIMEOUT,
                "A content must arrive within " + settings.upload().timeout().toSeconds()
                        + " seconds, without a pause of more than "
                        + settings.upload().pause().toSeconds() + ".");
    }

    private enum Received {
        TO_ITS_END,
        TOO_SLOW
    }

    /** One body on its way to its consumer. */
    private final class Body {
        private final HttpRequest request;
        private final SharedKillSwitch rest = KillSwitches.shared("rest-of-upload");
        private final CompletableFuture<Done> ended = new CompletableFuture<>();
        private volatile boolean begun;

        Body(HttpRequest request) {
            this.request = request;
        }

        /** Materialize at most once. After cancellation, the rest of the body is received and dropped. */
        Source<ByteString, NotUsed> content() {
            Sink<ByteString, CompletionStage<Done>> dropped = org.apache.pekko.stream.javadsl.Flow.of(ByteString.class)
                    .limitWeighted(bytesMax() + DISCARDED_BYTES_MAX, part -> (long) part.size())
                    .toMat(Sink.ignore(), Keep.right());
            Source<ByteString, ?> body = request.entity()
                    .withoutSizeLimit()
                    .getDataBytes()
                    .idleTimeout(settings.upload().pause())
                    .completionTimeout(settings.upload().timeout())
                    .via(rest.flow());
            return Source.fromGraph(GraphDSL.create(dropped, (builder, drop) -> {
                        UniformFanOutShape<ByteString, ByteString> both = builder.add(Broadcast.create(2));
                        builder.from(builder.add(body)).toFanOut(both);
                        builder.from(both.out(0)).to(drop);
                        return SourceShape.of(both.out(1));
                    }))
                    .mapMaterializedValue(end -> {
                        begun = true;
                        end.whenComplete((done, failure) -> {
                            if (failure == null) {
                                OpenConnections.of(request).ifPresent(OpenConnections.Place::bodyArrived);
                                ended.complete(done);
                            } else {
                                ended.completeExceptionally(failure);
                            }
                        });
                        return NotUsed.getInstance();
                    });
        }

        /** Completes when the client has sent everything, or when discarding has reached its limit. Never fails. */
        CompletionStage<Received> received() {
            if (!begun) {
                return CompletableFuture.completedStage(Received.TO_ITS_END);
            }
            return ended.copy()
                    .orTimeout(settings.bodyTimeout().toMillis(), TimeUnit.MILLISECONDS)
                    .handle((done, failure) -> {
                        rest.shutdown();
                        return ended.isDone() && StageFailure.cause(failure) instanceof TimeoutException
                                ? Received.TOO_SLOW
                                : Received.TO_ITS_END;
                    });
        }
    }
}
