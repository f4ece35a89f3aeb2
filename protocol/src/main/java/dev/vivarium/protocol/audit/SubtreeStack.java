package dev.vivarium.protocol.audit;

import java.util.Arrays;

/**
 * Full subtrees of the log's tree that lie side by side, from the left to the right, joined as far as they can be. Two
 * equally wide ones are joined where they are the two halves of one, so a row of leaves becomes the same few subtrees
 * whatever is known of the leaves before. Memory grows with the logarithm of the row. Confined to one thread.
 */
final class SubtreeStack {
    /** Widths grow and then shrink, each a power of two. */
    private static final int DEPTH_MAX = 2 * Long.SIZE;

    private final LogHasher hasher;
    private final long[] widths = new long[DEPTH_MAX];
    private byte[] hashes = new byte[Long.SIZE * LogHasher.HASH_BYTES];
    private int depth;
    private long end;

    /** Begins at a position. */
    SubtreeStack(long from, LogHasher hasher) {
        this.hasher = hasher;
        this.end = from;
    }

    /** Appends a full subtree, whose hash stands in {@code from}. Its width must fit where the row has come to. */
    void push(long width, byte[] from, int at) {
        add(width, from, at);
        end += width;
        while (depth > 1 && widths[depth - 2] == widths[depth - 1] && (end & (2 * widths[depth - 1] - 1)) == 0) {
            hasher.node(hashes, (depth - 2) * LogHasher.HASH_BYTES);
            depth--;
            widths[depth - 1] *= 2;
        }
    }

    /** Puts a full subtree before the row, behind those that were put there already. */
    void before(long width, byte[] hash) {
        add(width, hash, 0);
    }

    private void add(long width, byte[] from, int at) {
        if ((depth + 1) * LogHasher.HASH_BYTES > hashes.length) {
            hashes = Arrays.copyOf(hashes, 2 * hashes.length);
        }
        System.arraycopy(from, at, hashes, depth * LogHasher.HASH_BYTES, LogHasher.HASH_BYTES);
        widths[depth] = width;
        depth++;
    }

    /** Appends the subtrees of the row that begins where this one ends. */
    void push(SubtreeStack row) {
        for (int at = 0; at < row.depth; at++) {
            push(row.widths[at], row.hashes, at * LogHasher.HASH_BYTES);
        }
    }

    /** The position after the last leaf. */
    long end() {
        return end;
    }

    /** The hash over all subtrees of a row that begins with the log's first leaf. */
    byte[] root() {
        if (depth == 0) {
            return Subtrees.emptyRoot();
        }
        byte[] joined = hashes.clone();
        for (int at = depth - 2; at >= 0; at--) {
            hasher.node(joined, at * LogHasher.HASH_BYTES);
        }
        return Arrays.copyOf(joined, LogHasher.HASH_BYTES);
    }
}
