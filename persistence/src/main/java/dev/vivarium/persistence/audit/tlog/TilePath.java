package dev.vivarium.persistence.audit.tlog;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which tile of a tree, as C2SP tlog-tiles names it: {@code <L>/<N>}, and {@code .p/<W>} behind it for one that is not
 * full. The index has three digits in each part of the path, and an x before all parts but the last: 1234067 is {@code
 * x001/x234/067}.
 *
 * @param level 0 for leaves
 * @param index the tile's place in its level
 * @param width how many hashes
 */
public record TilePath(int level, long index, int width) {
    /** An index of more parts is beyond every tree. */
    private static final Pattern FORM =
            Pattern.compile("(0|[1-9]\\d?)/((?:x\\d{3}/){0,5}\\d{3})(?:\\.p/([1-9]\\d{0,2}))?");

    /** A level above has no tile in a tree of 2^63 leaves. */
    private static final int LEVEL_MAX = 7;

    /** Reads a path; empty when it names no tile that any tree has. */
    public static Optional<TilePath> parse(String path) {
        Matcher parts = FORM.matcher(path);
        if (!parts.matches()) {
            return Optional.empty();
        }
        int level = Integer.parseInt(parts.group(1));
        long index = Long.parseLong(parts.group(2).replaceAll("[x/]", ""));
        int width = parts.group(3) == null ? Tile.WIDTH : Integer.parseInt(parts.group(3));
        boolean isOne = level <= LEVEL_MAX
                && (parts.group(3) == null || width < Tile.WIDTH)
                // One way to write an index.
                && (index >= 1_000 || !parts.group(2).contains("x"))
                && !parts.group(2).startsWith("x000/");
        return isOne ? Optional.of(new TilePath(level, index, width)) : Optional.empty();
    }

    /** Whether a tree of this size has it. */
    public boolean isIn(long size) {
        long hashes = size >>> (level * 8);
        return index <= hashes / Tile.WIDTH && index * Tile.WIDTH + width <= hashes;
    }
}
