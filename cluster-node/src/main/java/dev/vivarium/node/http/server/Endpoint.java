package dev.vivarium.node.http.server;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.http.javadsl.model.MediaTypes;

/** Answers the requests of one operation. */
@FunctionalInterface
public interface Endpoint {
    /** Answers one request; a failed stage becomes a problem response. */
    CompletionStage<HttpResponse> answer(Exchange exchange);

    /** An endpoint that answers with JSON, for clients that accept it. */
    static Endpoint json(Endpoint endpoint) {
        List<MediaType> offers = List.of(MediaTypes.APPLICATION_JSON);
        return exchange -> Acceptable.best(exchange.request(), offers).isPresent()
                ? endpoint.answer(exchange)
                : CompletableFuture.completedStage(Acceptable.refusal(offers));
    }

    /** An endpoint that answers without waiting. */
    static Endpoint immediate(Supplier<HttpResponse> answer) {
        return exchange -> CompletableFuture.completedStage(answer.get());
    }
}
