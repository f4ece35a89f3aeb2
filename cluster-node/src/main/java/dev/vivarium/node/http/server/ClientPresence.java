package dev.vivarium.node.http.server;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * Whether a request's client is still there, for answers that are waited for. A streamed answer needs no such thing: it is
 * cancelled.
 *
 * @param gone completes when the connection has ended; never fails
 */
public record ClientPresence(CompletionStage<Done> gone) {
    private static final AttributeKey<ClientPresence> KEY = AttributeKey.create("client", ClientPresence.class);

    HttpRequest of(HttpRequest request) {
        return request.addAttribute(KEY, this);
    }

    /** The client of a request. */
    public static ClientPresence client(HttpRequest request) {
        return request.getAttribute(KEY).orElseGet(() -> new ClientPresence(new CompletableFuture<>()));
    }
}
