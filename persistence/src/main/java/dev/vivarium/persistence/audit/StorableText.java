package dev.vivarium.persistence.audit;

import java.util.Map;
import java.util.TreeMap;

/**
 * Texts that every store can hold and index: without U+0000 and halves of surrogate pairs, which become U+FFFD, and cut to
 * a length that no valid value has. Rows and filters both have this form, so an event is found by any value it was given.
 */
final class StorableText {
    private static final char REPLACEMENT = '\uFFFD';
    private static final int LENGTH_MAX = 512;

    private StorableText() {}

    static String of(String text) {
        return text.codePoints()
                .limit(LENGTH_MAX)
                .map(point -> point == 0 || (point <= Character.MAX_VALUE && Character.isSurrogate((char) point))
                        ? REPLACEMENT
                        : point)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    static Map<String, String> of(Map<String, String> texts) {
        Map<String, String> storable = new TreeMap<>();
        texts.forEach((key, value) -> storable.put(of(key), of(value)));
        return storable;
    }
}
