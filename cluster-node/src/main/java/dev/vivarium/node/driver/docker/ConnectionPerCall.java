package dev.vivarium.node.driver.docker;

import com.github.dockerjava.transport.DockerHttpClient;
import java.io.IOException;
import java.util.Map;

/**
 * Asks the engine to close the connection after each call. Connecting to a local socket costs far less than a call, and
 * the first call on a kept connection fails after the engine's restart without showing whether it was carried out.
 */
final class ConnectionPerCall implements DockerHttpClient {
    private final DockerHttpClient client;

    ConnectionPerCall(DockerHttpClient client) {
        this.client = client;
    }

    @Override
    public Response execute(Request request) {
        Request.Builder copy = Request.builder();
        copy.method(request.method()).path(request.path());
        for (Map.Entry<String, String> header : request.headers().entrySet()) {
            copy.putHeader(header.getKey(), header.getValue());
        }
        if (request.bodyBytes() != null) {
            copy.bodyBytes(request.bodyBytes());
        } else if (request.body() != null) {
            copy.body(request.body());
        }
        return client.execute(copy.putHeader("Connection", "close").build());
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
