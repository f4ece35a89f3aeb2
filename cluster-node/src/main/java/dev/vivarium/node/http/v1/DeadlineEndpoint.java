package dev.vivarium.node.http.v1;

import dev.vivarium.node.admission.RenewalReader;
import dev.vivarium.node.admission.RenewalReader.Reading;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.RenewAnswer;
import dev.vivarium.node.run.Renewal;
import dev.vivarium.node.run.Runs;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Moves the deadline of a live run. */
final class DeadlineEndpoint {
    private final RunLookup lookup;
    private final JsonBodies bodies;
    private final RenewalReader reader;
    private final Runs runs;

    DeadlineEndpoint(RunLookup lookup, JsonBodies bodies, RenewalReader reader, Runs runs) {
        this.lookup = lookup;
        this.bodies = bodies;
        this.reader = reader;
        this.runs = runs;
    }

    CompletionStage<HttpResponse> answer(Exchange exchange) {
        Optional<RunId> run = RunLookup.id(exchange);
        return run.isEmpty()
                ? done(RunLookup.noSuchRun())
                : bodies.take(exchange, body -> renewed(exchange, body), Function.identity());
    }

    private CompletionStage<HttpResponse> renewed(Exchange exchange, byte[] body) {
        Reading reading = reader.read(body);
        if (reading instanceof Reading.Malformed malformed) {
            return done(Answers.problem(ProblemType.MALFORMED_JSON, malformed.sentence()));
        }
        if (reading instanceof Reading.Invalid invalid) {
            return done(Answers.problem(
                    ProblemType.INVALID_RENEWAL, "Correct the fields that are named in errors.", invalid.errors()));
        }
        Renewal renewal = ((Reading.Valid) reading).renewal();
        Caller caller = Callers.of(exchange);
        return lookup.answer(exchange, run -> beyond(exchange.caller().scope(), renewal)
                .<CompletionStage<HttpResponse>>map(DeadlineEndpoint::done)
                .orElseGet(
                        () -> runs.renew(run.submission().id(), caller, renewal).thenApply(DeadlineEndpoint::answer)));
    }

    /** A token that is narrowed to a wall clock moves no deadline beyond it. */
    private static Optional<HttpResponse> beyond(Scope scope, Renewal renewal) {
        return scope.limits()
                .find(Limit.WALL_CLOCK)
                .filter(most -> renewal.wallClock().compareTo(most) > 0)
                .map(most -> Answers.problem(
                        ProblemType.FORBIDDEN,
                        "Your token is for less than this run asks for.",
                        List.of(new FieldError(
                                "wallClock", "must be at most " + most + ", which your token is narrowed to"))));
    }

    private static HttpResponse answer(RenewAnswer given) {
        if (given instanceof RenewAnswer.Renewed renewed) {
            return Answers.json(200, RunView.of(renewed.run()));
        }
        return given instanceof RenewAnswer.Refused refused
                ? Answers.problem(ProblemType.DEADLINE_STAYS, sentence(refused.reason()))
                : RunLookup.noSuchRun();
    }

    private static String sentence(RenewAnswer.Reason reason) {
        return switch (reason) {
            case ENDED -> "The run has ended: submit another one.";
            case CANCELLED -> "The run is being cancelled, which a later deadline does not stop: submit another one.";
            case ENDING -> "It came too late, the attempt is ending: if another attempt follows, ask again.";
            case ALREADY_PAST -> "The attempt has run for longer than that already: ask for a longer wallClock, which is"
                    + " counted from the start of the attempt's process, or cancel the run.";
            case TOO_OFTEN -> "The deadline was moved as often as it may (vivarium.run.renewals-max): it stays.";
            case TOO_MANY_AT_ONCE -> "The sandbox has not confirmed earlier requests to move the deadline: wait for their"
                    + " answers, and ask again.";
        };
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
