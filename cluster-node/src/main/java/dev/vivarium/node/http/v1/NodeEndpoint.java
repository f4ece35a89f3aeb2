package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.run.Runs;
import dev.vivarium.protocol.api.NodeList;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.util.ByteString;

/** The list of nodes, and the API's description. */
final class NodeEndpoint {
    private static final ContentType YAML = ContentTypes.parse("application/yaml");

    private final Runs runs;
    private final ByteString openApi;

    NodeEndpoint(Runs runs) {
        this.runs = runs;
        this.openApi = resource("/openapi.yaml");
    }

    HttpResponse nodes() {
        return Answers.json(200, new NodeList(runs.nodes()));
    }

    HttpResponse openApi() {
        return HttpResponse.create().withEntity(HttpEntities.create(YAML, openApi));
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
