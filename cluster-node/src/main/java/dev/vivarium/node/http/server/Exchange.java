package dev.vivarium.node.http.server;

import dev.vivarium.protocol.auth.Principal;
import java.time.Instant;
import java.util.Map;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * A request, and what is known about it before its endpoint sees it.
 *
 * @param request the request
 * @param caller who sent it
 * @param path the values of the path's parameters, decoded, by their names
 * @param deadline when an answer comes too late
 */
public record Exchange(HttpRequest request, Principal caller, Map<String, String> path, Instant deadline) {
    /** The value of a parameter that the operation's path has. */
    public String parameter(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalArgumentException("The path of this operation has no parameter " + name + ".");
        }
        return value;
    }
}
