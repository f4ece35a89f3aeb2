package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.run.Runs;
import dev.vivarium.protocol.api.NodeList;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.util.ByteString;

/** The list of nodes, and the API's description. */
final class NodeEndpoint {
    private static final ContentType YAML = ContentTypes.parse("application/yaml");

    private final Runs runs;
    private final PublicDocument openApi;

    NodeEndpoint(Runs runs) {
        this.runs = runs;
        this.openApi = new PublicDocument(YAML, resource("/openapi.yaml"));
    }

    HttpResponse nodes() {
        return Answers.json(200, new NodeList(runs.nodes()));
    }

    CompletionStage<HttpResponse> openApi(Exchange exchange) {
        return CompletableFuture.completedStage(openApi.answer(exchange.request()));
    }

    private static ByteString resource(String name) {
        try (InputStream stream = NodeEndpoint.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException("The node was built without " + name + ".");
            }
            return ByteString.fromArrayUnsafe(stream.readAllBytes());
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
