package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Identity;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * A request with its context.
 *
 * @param request the request
 * @param known who sent it; empty for an operation that everyone may use
 * @param path the path parameters, decoded, by name
 * @param deadline when the answer is due
 */
public record Exchange(HttpRequest request, Optional<Identity> known, Map<String, String> path, Instant deadline) {
    /** Who sent it; for an operation that needs a permission. */
    public Identity caller() {
        return known.orElseThrow(() -> new IllegalStateException("The callers of this operation are not known."));
    }

    /** The value of one of the operation's path parameters. */
    public String parameter(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalArgumentException("The path of this operation has no parameter " + name + ".");
        }
        return value;
    }
}
