package dev.vivarium.node.http.server;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A path whose segments are literals or parameters: {@code /v1/runs/{id}/cancel}. A last parameter with a star, {@code
 * {path*}}, is all segments that are left, at least one.
 *
 * @param segments the segments; those in braces are parameters
 */
public record PathTemplate(List<String> segments) {
    private static final Pattern SHAPE =
            Pattern.compile("(/([a-z0-9._-]+|\\{[a-z]+}))*(/([a-z0-9._-]+|\\{[a-z]+\\*?}))");

    public PathTemplate {
        segments = List.copyOf(segments);
    }

    /** Parses the form above. */
    public static PathTemplate of(String text) {
        if (!SHAPE.matcher(text).matches()) {
            throw new IllegalArgumentException("Not the template of a path: " + text);
        }
        return new PathTemplate(Arrays.asList(text.substring(1).split("/", -1)));
    }

    /** The parameters' values in a path with these segments; empty when it does not match. */
    Optional<Map<String, String>> match(List<String> path) {
        int last = segments.size() - 1;
        boolean hasRest = segments.get(last).endsWith("*}");
        if (hasRest ? path.size() < segments.size() : path.size() != segments.size()) {
            return Optional.empty();
        }
        Map<String, String> values = new HashMap<>();
        for (int at = 0; at < segments.size(); at++) {
            String segment = segments.get(at);
            if (hasRest && at == last) {
                values.put(segment.substring(1, segment.length() - 2), String.join("/", path.subList(at, path.size())));
            } else if (segment.startsWith("{")) {
                values.put(segment.substring(1, segment.length() - 1), path.get(at));
            } else if (!segment.equals(path.get(at))) {
                return Optional.empty();
            }
        }
        return Optional.of(Map.copyOf(values));
    }

    @Override
    public String toString() {
        return "/" + String.join("/", segments).replace("*}", "}");
    }
}
