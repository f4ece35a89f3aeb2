package dev.vivarium.node.http.server;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A path whose segments are literals or parameters: {@code /v1/runs/{id}/cancel}.
 *
 * @param segments the segments; those in braces are parameters
 */
public record PathTemplate(List<String> segments) {
    private static final Pattern SHAPE = Pattern.compile("(/([a-z0-9._-]+|\\{[a-z]+}))+");

    public PathTemplate {
        segments = List.copyOf(segments);
    }

    /** Reads the form above. */
    public static PathTemplate of(String text) {
        if (!SHAPE.matcher(text).matches()) {
            throw new IllegalArgumentException("Not the template of a path: " + text);
        }
        return new PathTemplate(Arrays.asList(text.substring(1).split("/", -1)));
    }

    /** The parameters' values in a path of these segments; empty when it is another path. */
    Optional<Map<String, String>> match(List<String> path) {
        if (path.size() != segments.size()) {
            return Optional.empty();
        }
        Map<String, String> values = new HashMap<>();
        for (int at = 0; at < path.size(); at++) {
            String segment = segments.get(at);
            if (segment.startsWith("{")) {
                values.put(segment.substring(1, segment.length() - 1), path.get(at));
            } else if (!segment.equals(path.get(at))) {
                return Optional.empty();
            }
        }
        return Optional.of(Map.copyOf(values));
    }

    @Override
    public String toString() {
        return "/" + String.join("/", segments);
    }
}
