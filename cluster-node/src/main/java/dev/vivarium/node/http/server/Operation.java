package dev.vivarium.node.http.server;

import org.apache.pekko.http.javadsl.model.HttpMethod;

/**
 * A method of a path, and its endpoint.
 *
 * @param method the method
 * @param path the path
 * @param endpoint answers it
 */
public record Operation(HttpMethod method, PathTemplate path, Endpoint endpoint) {
    public Operation(HttpMethod method, String path, Endpoint endpoint) {
        this(method, PathTemplate.of(path), endpoint);
    }

    /** As the API's description writes it: {@code GET /v1/runs/{id}}. */
    @Override
    public String toString() {
        return method.name() + " " + path;
    }
}
