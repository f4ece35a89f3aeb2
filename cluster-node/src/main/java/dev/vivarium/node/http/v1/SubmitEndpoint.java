package dev.vivarium.node.http.v1;

import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.IdempotencyKey;
import dev.vivarium.node.admission.SubmissionReader;
import dev.vivarium.node.admission.SubmissionReader.Reading;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/** Accepts submissions: receives and parses the body, admits it, and reports the outcome. */
final class SubmitEndpoint {
    private final JsonBodies bodies;
    private final HttpSettings settings;
    private final SubmissionReader reader;
    private final Admission admission;

    SubmitEndpoint(JsonBodies bodies, HttpSettings settings, SubmissionReader reader, Admission admission) {
        this.bodies = bodies;
        this.settings = settings;
        this.reader = reader;
        this.admission = admission;
    }

    CompletionStage<HttpResponse> answer(Exchange exchange) {
        return bodies.answer(exchange, body -> answer(exchange, body));
    }

    private CompletionStage<HttpResponse> answer(Exchange exchange, byte[] body) {
        Optional<String> keyText =
                exchange.request().getHeader("Idempotency-Key").map(HttpHeader::value);
        Optional<IdempotencyKey> key = keyText.flatMap(IdempotencyKey::of);
        if (keyText.isPresent() && key.isEmpty()) {
            return done(Answers.problem(
                    ProblemType.INVALID_HEADER,
                    "An idempotency key is 1 to 255 visible ASCII characters.",
                    List.of(new FieldError("Idempotency-Key", "must be 1 to 255 visible ASCII characters"))));
        }
        Reading reading = reader.read(body);
        if (reading instanceof Reading.Malformed malformed) {
            return done(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof Reading.Invalid invalid) {
            return done(Answers.problem(
                    ProblemType.INVALID_RUN, "Correct the fields that are named in errors.", invalid.errors()));
        }
        return admission
                .submit(new Caller(exchange.caller(), exchange.deadline()), ((Reading.Valid) reading).submission(), key)
                .thenApply(this::answer);
    }

    private HttpResponse answer(SubmitAnswer given) {
        if (given instanceof SubmitAnswer.Accepted accepted) {
            return accepted(accepted.run());
        }
        if (given instanceof SubmitAnswer.AcceptedBefore before) {
            return accepted(before.run()).addHeader(RawHeader.create("Idempotent-Replayed", "true"));
        }
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
        if (given instanceof SubmitAnswer.NotDurable) {
            return Answers.storeUnavailable(settings.retryAfter());
        }
        return Answers.retryLater(
                ProblemType.DRAINING, "The node is draining: submit to another one, or later.", settings.retryAfter());
    }

    private static HttpResponse accepted(RunState.Existing state) {
        return Answers.json(202, RunView.of(state))
                .addHeader(RawHeader.create(
                        "Location", "/v1/runs/" + state.submission().id()));
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
