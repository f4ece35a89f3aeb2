package dev.vivarium.node.admission;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Suggests the name that was most likely meant by a misspelled one. */
public final class NearestName {
    private static final int MAX_EDITS = 2;
    private static final int MAX_CHARS = 40;

    private NearestName() {}

    /** The known name that differs from the given one by at most {@value #MAX_EDITS} edits; letter case does not count. */
    public static Optional<String> to(String given, Collection<String> known) {
        if (given.isEmpty() || given.length() > MAX_CHARS) {
            return Optional.empty();
        }
        String lower = given.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
        int allowed = Math.min(MAX_EDITS, given.length() / 2);
        return known.stream()
                .filter(name -> edits(lower, name.toLowerCase(Locale.ROOT)) <= allowed)
                .min(Comparator.<String>comparingInt(name -> edits(lower, name.toLowerCase(Locale.ROOT)))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /** Levenshtein distance, with two rows. */
    private static int edits(String from, String to) {
        int[] above = new int[to.length() + 1];
        for (int column = 0; column < above.length; column++) {
            above[column] = column;
        }
        for (int row = 1; row <= from.length(); row++) {
            int[] current = new int[above.length];
            current[0] = row;
            for (int column = 1; column < above.length; column++) {
                int replaced = above[column - 1] + (from.charAt(row - 1) == to.charAt(column - 1) ? 0 : 1);
                current[column] = Math.min(replaced, 1 + Math.min(above[column], current[column - 1]));
            }
            above = current;
        }
        return above[to.length()];
    }
}
