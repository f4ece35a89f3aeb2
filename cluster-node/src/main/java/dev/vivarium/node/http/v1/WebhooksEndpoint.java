package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.webhook.Webhooks;
import dev.vivarium.node.webhook.Webhooks.Repetition;
import dev.vivarium.persistence.store.WebhookStore.Delivery;
import dev.vivarium.persistence.store.WebhookStore.Progress;
import dev.vivarium.persistence.store.WebhookStore.State;
import dev.vivarium.protocol.api.WebhookDeliveryList;
import dev.vivarium.protocol.api.WebhookDeliveryView;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Lists a run's messages to its webhook, and has one sent again. */
final class WebhooksEndpoint {
    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,17}");

    private final RunLookup lookup;
    private final Webhooks webhooks;
    private final Duration retryAfter;

    WebhooksEndpoint(RunLookup lookup, Webhooks webhooks, Duration retryAfter) {
        this.lookup = lookup;
        this.webhooks = webhooks;
        this.retryAfter = retryAfter;
    }

    CompletionStage<HttpResponse> list(Exchange exchange) {
        QueryReader query = new QueryReader(exchange.request(), Set.of());
        return query.refusal()
                .map(WebhooksEndpoint::done)
                .orElseGet(() -> lookup.answer(exchange, run -> webhooks.of(
                                run.submission().id())
                        .thenApply(all -> Answers.json(
                                200,
                                new WebhookDeliveryList(
                                        all.stream().map(WebhooksEndpoint::view).toList())))));
    }

    CompletionStage<HttpResponse> repeat(Exchange exchange) {
        String seq = exchange.parameter("seq");
        return lookup.answer(
                exchange,
                run -> NUMBER.matcher(seq).matches()
                        ? repeat(run.submission().id(), Long.parseLong(seq))
                        : done(noSuchDelivery()));
    }

    private CompletionStage<HttpResponse> repeat(RunId run, long seq) {
        return webhooks.repeat(run, seq).thenCompose(repetition -> {
            if (repetition instanceof Repetition.Full full) {
                return done(Answers.retryLater(ProblemType.WEBHOOKS_FULL, full.sentence(), retryAfter));
            }
            return repetition instanceof Repetition.Unknown
                    ? done(noSuchDelivery())
                    : webhooks.of(run).thenApply(all -> all.stream()
                            .filter(delivery -> delivery.message().seq() == seq)
                            .findFirst()
                            .map(delivery -> Answers.json(202, view(delivery)))
                            .orElseGet(WebhooksEndpoint::noSuchDelivery));
        });
    }

    private static HttpResponse noSuchDelivery() {
        return Answers.problem(
                ProblemType.NO_SUCH_DELIVERY,
                "The run has no message to a webhook of this number; `vivarium webhooks list` has those that it has.");
    }

    private static WebhookDeliveryView view(Delivery delivery) {
        Progress progress = delivery.progress();
        return new WebhookDeliveryView(
                Webhooks.id(delivery.message()),
                delivery.message().seq(),
                delivery.message().event(),
                delivery.message().url(),
                WebhookDeliveryView.State.valueOf(progress.state().name()),
                progress.attempts(),
                progress.queuedAt(),
                progress.state() == State.PENDING ? Optional.of(progress.nextAt()) : Optional.empty(),
                progress.triedAt(),
                progress.answer());
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedStage(response);
    }
}
