package dev.vivarium.protocol.run;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A pattern of paths in the workspace, such as {@code out/*.csv}. In a part, {@code *} matches any characters and {@code ?}
 * one; a part {@code **} matches any number of parts, including none. All other characters match themselves. A pattern that
 * matches a folder includes everything in it.
 */
public final class PathGlob {
    /** The requirements on a pattern, to complete the words "must be". */
    public static final String RULE = "a path or pattern relative to the workspace, such as out/*.csv or logs/**, of at"
            + " most 1024 bytes and 64 parts, without empty parts, '.', '..' or NUL";

    private static final int BYTES_MAX = 1_024;
    private static final int PARTS_MAX = 64;
    private static final String ANY_PARTS = "**";

    private final List<String> parts;

    private PathGlob(List<String> parts) {
        this.parts = parts;
    }

    /**
     * Parses a pattern.
     *
     * @throws IllegalArgumentException with a sentence, when the text is no pattern
     */
    public static PathGlob parse(String text) {
        List<String> parts = List.of((text.endsWith("/") ? text.substring(0, text.length() - 1) : text).split("/", -1));
        boolean isSound = text.getBytes(StandardCharsets.UTF_8).length <= BYTES_MAX
                && parts.size() <= PARTS_MAX
                && text.indexOf('\0') < 0
                && parts.stream().noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
        if (!isSound) {
            throw new IllegalArgumentException("must be " + RULE);
        }
        return new PathGlob(parts);
    }

    /** The pattern itself if it is a literal path; otherwise the folder that contains all matches. */
    public String literalPath() {
        return String.join("/", parts.subList(0, literalParts()));
    }

    /** Whether it is a literal path. */
    public boolean isLiteral() {
        return literalParts() == parts.size();
    }

    private int literalParts() {
        int count = 0;
        while (count < parts.size()
                && parts.get(count).indexOf('*') < 0
                && parts.get(count).indexOf('?') < 0) {
            count++;
        }
        return count;
    }

    /** The result of matching a path. */
    public enum Match {
        /** Neither the path nor anything below it matches. */
        NONE,
        /** The path does not match; if it is a folder, something in it may. */
        BELOW,
        /** The path matches, or lies in a folder that does. */
        MATCHES
    }

    /** Matches a path, whose parts are separated by slashes; the empty path is the workspace. */
    public Match match(String path) {
        BitSet positions = new BitSet(parts.size() + 1);
        reach(positions, 0);
        if (!path.isEmpty()) {
            for (String name : path.split("/", -1)) {
                positions = after(positions, name);
                if (positions.get(parts.size())) {
                    return Match.MATCHES;
                }
            }
        }
        return positions.isEmpty() ? Match.NONE : Match.BELOW;
    }

    /** The positions in the pattern after one more part of a path. */
    private BitSet after(BitSet before, String name) {
        BitSet positions = new BitSet(parts.size() + 1);
        for (int at = before.nextSetBit(0); at >= 0 && at < parts.size(); at = before.nextSetBit(at + 1)) {
            if (parts.get(at).equals(ANY_PARTS)) {
                // At the end of a pattern it also matches everything below.
                reach(positions, at + 1 == parts.size() ? at + 1 : at);
            } else if (matches(parts.get(at), name)) {
                reach(positions, at + 1);
            }
        }
        return positions;
    }

    private void reach(BitSet positions, int at) {
        if (positions.get(at)) {
            return;
        }
        positions.set(at);
        // At the end of the pattern it must match at least one part.
        if (at + 1 < parts.size() && parts.get(at).equals(ANY_PARTS)) {
            reach(positions, at + 1);
        }
    }

    /** Extends only the latest star's match and never revisits earlier stars, so the time is at most quadratic. */
    private static boolean matches(String pattern, String name) {
        int[] wanted = pattern.codePoints().toArray();
        int[] given = name.codePoints().toArray();
        int at = 0;
        int star = -1;
        int behindStar = 0;
        for (int from = 0; from < given.length; ) {
            if (at < wanted.length && wanted[at] == '*') {
                star = at++;
                behindStar = from;
            } else if (at < wanted.length && (wanted[at] == '?' || wanted[at] == given[from])) {
                at++;
                from++;
            } else if (star >= 0) {
                at = star + 1;
                from = ++behindStar;
            } else {
                return false;
            }
        }
        return Arrays.stream(wanted).skip(at).allMatch(rest -> rest == '*');
    }

    @Override
    public String toString() {
        return String.join("/", parts);
    }
}
