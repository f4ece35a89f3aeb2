package dev.vivarium.node.machine;

import java.util.regex.Pattern;

/**
 * A range of versions.
 *
 * @param from the first version in the range
 * @param below the first version above the range
 */
record VersionRange(Version from, Version below) {
    private static final String BETWEEN = " .. ";

    VersionRange {
        if (from.compareTo(below) >= 0) {
            throw new IllegalArgumentException("A range of versions begins below its end: " + from + BETWEEN + below);
        }
    }

    /** Reads {@code 1.0.0-rc93 .. 1.1.12}. */
    static VersionRange of(String text) {
        String[] ends = text.split(Pattern.quote(BETWEEN), -1);
        if (ends.length != 2) {
            throw new IllegalArgumentException("A range of versions is written as 1.0 .. 1.2: " + text);
        }
        return new VersionRange(end(ends[0]), end(ends[1]));
    }

    private static Version end(String text) {
        return Version.of(text).orElseThrow(() -> new IllegalArgumentException("No version: " + text));
    }

    boolean contains(Version version) {
        return from.compareTo(version) <= 0 && version.compareTo(below) < 0;
    }
}
