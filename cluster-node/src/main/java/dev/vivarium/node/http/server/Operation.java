package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Permission;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.HttpMethod;

/**
 * A method of a path, what it needs of its caller, and its endpoint.
 *
 * @param needs the permission that a caller must have; empty where everyone may, known or not
 */
public record Operation(HttpMethod method, PathTemplate path, Optional<Permission> needs, Endpoint endpoint) {
    /** An operation for callers with this permission. */
    public static Operation needing(Permission permission, HttpMethod method, String path, Endpoint endpoint) {
        return new Operation(method, PathTemplate.of(path), Optional.of(permission), endpoint);
    }

    /** An operation for everyone who reaches the node. */
    public static Operation open(HttpMethod method, String path, Endpoint endpoint) {
        return new Operation(method, PathTemplate.of(path), Optional.empty(), endpoint);
    }

    /** As the API's description writes it: {@code GET /v1/runs/{id}}. */
    @Override
    public String toString() {
        return method.name() + " " + path;
    }
}
