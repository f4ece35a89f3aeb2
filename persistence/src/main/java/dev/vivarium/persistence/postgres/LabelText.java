package dev.vivarium.persistence.postgres;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.journal.JournalJson;
import java.util.Map;
import java.util.TreeMap;

/**
 * Labels in the form that jsonb accepts. It cannot hold U+0000 or half of a surrogate pair; both become U+FFFD, in
 * stored rows and in queries, so that a run is found by any labels it was given.
 */
final class LabelText {
    private static final char REPLACEMENT = '\uFFFD';

    private LabelText() {}

    static String json(Map<String, String> labels) {
        Map<String, String> storable = new TreeMap<>();
        labels.forEach((key, value) -> storable.put(storable(key), storable(value)));
        try {
            return JournalJson.MAPPER.writeValueAsString(storable);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("A map of strings has a JSON form.", impossible);
        }
    }

    private static String storable(String text) {
        return text.codePoints()
                .map(point -> point == 0 || (point <= Character.MAX_VALUE && Character.isSurrogate((char) point))
                        ? REPLACEMENT
                        : point)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
