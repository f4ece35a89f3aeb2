package dev.vivarium.node.http.server;

import dev.vivarium.protocol.auth.Principal;
import java.time.Instant;
import java.util.Map;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * A request with its context.
 *
 * @param request the request
 * @param caller the principal that sent it
 * @param path the path parameters, decoded, by name
 * @param deadline when the answer is due
 */
public record Exchange(HttpRequest request, Principal caller, Map<String, String> path, Instant deadline) {
    /** The value of one of the operation's path parameters. */
    public String parameter(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalArgumentException("The path of this operation has no parameter " + name + ".");
        }
        return value;
    }
}
