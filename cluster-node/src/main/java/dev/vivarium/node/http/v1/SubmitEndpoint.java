package dev.vivarium.node.http.v1;

import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.IdempotencyKey;
import dev.vivarium.node.admission.SubmissionReader;
import dev.vivarium.node.admission.SubmissionReader.Reading;
import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.ClientPresence;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.model.headers.TimeoutAccess;

/**
 * Accepts submissions: receives and parses the body, admits it, and reports the outcome; or, if the client asks for it,
 * what becomes of the run: its output as it comes, or its end.
 */
final class SubmitEndpoint {
    private static final List<MediaType> RUN = List.of(MediaTypes.APPLICATION_JSON);

    private final JsonBodies bodies;
    private final HttpSettings settings;
    private final SubmissionReader reader;
    private final Admission admission;
    private final Followers followers;
    private final OutputEndpoint output;
    private final RunEndWait end;
    private final QuotaRefusals refusals;

    SubmitEndpoint(
            JsonBodies bodies,
            HttpSettings settings,
            SubmissionReader reader,
            Admission admission,
            Followers followers,
            OutputEndpoint output,
            RunEndWait end,
            QuotaRefusals refusals) {
        this.bodies = bodies;
        this.settings = settings;
        this.reader = reader;
        this.admission = admission;
        this.followers = followers;
        this.output = output;
        this.end = end;
        this.refusals = refusals;
    }

    /** What the client wants to be answered with, once its run is accepted. */
    private sealed interface Wish {
        /** The run as it was accepted. */
        record Acceptance() implements Wish {}

        /** The run's end, if it comes within a time. */
        record End(Duration longest) implements Wish {}

        /** The run's output. */
        record Output() implements Wish {}
    }

    /** What became of a submission. */
    private sealed interface Outcome {
        record Accepted(RunState.Existing run, List<HttpHeader> headers) implements Outcome {}

        record Refused(HttpResponse answer) implements Outcome {}
    }

    CompletionStage<HttpResponse> answer(Exchange exchange) {
        HttpRequest request = exchange.request();
        QueryReader query = new QueryReader(request, Set.of("wait", "follow"));
        Optional<Duration> wait = query.time("wait", settings.maxWait());
        Optional<Wish> follow = query.word("follow", Map.of("output", new Wish.Output()));
        if (query.has("wait") && query.has("follow")) {
            query.refuse("follow", "cannot be combined with wait");
        }
        Followers.Share share = followers.of(exchange.caller());
        Wish wish = follow.or(() -> wait.map(Wish.End::new)).orElseGet(Wish.Acceptance::new);
        List<MediaType> offers = wish instanceof Wish.Output ? OutputEndpoint.OFFERS : RUN;
        Optional<MediaType> form = Acceptable.best(request, offers);
        Optional<HttpResponse> refusal = query.refusal()
                .or(() -> form.isEmpty() ? Optional.of(Acceptable.refusal(offers)) : Optional.empty())
                // Before anything is submitted, so that the client may simply try again.
                .or(() -> wish instanceof Wish.Acceptance ? Optional.empty() : share.refusal());
        if (refusal.isPresent()) {
            return done(refusal.get());
        }
        return bodies.take(exchange, body -> submitted(exchange, body), Outcome.Refused::new)
                .thenCompose(outcome -> outcome instanceof Outcome.Accepted accepted
                        ? answer(accepted, wish, form.get(), request, share)
                                .thenApply(answer -> answer.addHeaders(accepted.headers()))
                        : done(((Outcome.Refused) outcome).answer()));
    }

    private CompletionStage<HttpResponse> answer(
            Outcome.Accepted accepted, Wish wish, MediaType form, HttpRequest request, Followers.Share share) {
        if (wish instanceof Wish.Output) {
            return output.followed(accepted.run(), form, share);
        }
        if (wish instanceof Wish.End waiting) {
            request.getHeader(TimeoutAccess.class).ifPresent(access -> access.timeoutAccess()
                    .updateTimeout(waiting.longest().plus(settings.requestTimeout())));
            return end.answer(accepted.run(), waiting.longest(), ClientPresence.client(request), share);
        }
        return done(Answers.json(202, RunView.of(accepted.run())));
    }

    private CompletionStage<Outcome> submitted(Exchange exchange, byte[] body) {
        Optional<String> keyText =
                exchange.request().getHeader("Idempotency-Key").map(HttpHeader::value);
        Optional<IdempotencyKey> key = keyText.flatMap(IdempotencyKey::of);
        if (keyText.isPresent() && key.isEmpty()) {
            return refused(Answers.problem(
                    ProblemType.INVALID_HEADER,
                    "An idempotency key is 1 to 255 visible ASCII characters.",
                    List.of(new FieldError("Idempotency-Key", "must be 1 to 255 visible ASCII characters"))));
        }
        Reading reading = reader.read(body, exchange.caller());
        if (reading instanceof Reading.Malformed malformed) {
            return refused(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof Reading.Invalid invalid) {
            return refused(Answers.problem(
                    ProblemType.INVALID_RUN, "Correct the fields that are named in errors.", invalid.errors()));
        }
        if (reading instanceof Reading.Forbidden forbidden) {
            return refused(Answers.problem(
                    ProblemType.FORBIDDEN, "Your token is for less than this run asks for.", forbidden.errors()));
        }
        return admission
                .submit(Callers.of(exchange), ((Reading.Valid) reading).submission(), key)
                .thenApply(this::outcome);
    }

    private Outcome outcome(SubmitAnswer given) {
        if (given instanceof SubmitAnswer.Accepted accepted) {
            return new Outcome.Accepted(accepted.run(), named(accepted.run()));
        }
        if (given instanceof SubmitAnswer.AcceptedBefore before) {
            List<HttpHeader> headers = new ArrayList<>(named(before.run()));
            headers.add(RawHeader.create("Idempotent-Replayed", "true"));
            return new Outcome.Accepted(before.run(), headers);
        }
        return new Outcome.Refused(refusal(given));
    }

    private HttpResponse refusal(SubmitAnswer given) {
        if (given instanceof SubmitAnswer.OtherSubmission other) {
            return Answers.problem(
                    ProblemType.IDEMPOTENCY_CONFLICT,
                    "Run " + other.run() + " was submitted with another body under this key: choose another key.");
        }
        if (given instanceof SubmitAnswer.Full full) {
            return Answers.retryLater(
                    ProblemType.NODE_FULL,
                    "All slots are taken and " + full.waiting() + " runs wait for one, the most that may: try again"
                            + " later.",
                    settings.retryAfter());
        }
        if (given instanceof SubmitAnswer.TenantFull full) {
            return Answers.retryLater(
                    ProblemType.TENANT_FULL,
                    "All slots are taken and tenant " + full.tenant() + " has its most runs waiting for one: try again"
                            + " when one of them has ended.",
                    settings.retryAfter());
        }
        if (given instanceof SubmitAnswer.OverQuota over) {
            return over.after()
                    .map(after -> refusals.answer(over.excess(), after))
                    .orElseGet(() -> refusals.answer(over.excess()));
        }
        if (given instanceof SubmitAnswer.TooLarge tooLarge) {
            return Answers.problem(
                    ProblemType.INVALID_RUN,
                    "Correct the fields that are named in errors.",
                    TooLarge.errors(tooLarge.largest()));
        }
        if (given instanceof SubmitAnswer.InvalidFiles invalid) {
            return Answers.problem(
                    ProblemType.INVALID_RUN, "Correct the fields that are named in errors.", invalid.errors());
        }
        if (given instanceof SubmitAnswer.UnknownSecrets unknown) {
            return Answers.problem(
                    ProblemType.INVALID_RUN, "Correct the fields that are named in errors.", unknown.errors());
        }
        if (given instanceof SubmitAnswer.NotDurable) {
            return Answers.storeUnavailable(settings.retryAfter());
        }
        return Answers.retryLater(
                ProblemType.DRAINING, "The node is draining: submit to another one, or later.", settings.retryAfter());
    }

    private static List<HttpHeader> named(RunState.Existing run) {
        String id = run.submission().id().value();
        return List.of(RawHeader.create("Location", "/v1/runs/" + id), RawHeader.create("Run-Id", id));
    }

    private static CompletionStage<Outcome> refused(HttpResponse answer) {
        return CompletableFuture.completedStage(new Outcome.Refused(answer));
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
