package dev.vivarium.protocol.audit;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * The root of a tree from a range of its leaves and from the full subtrees on both sides of it. Keeps no leaves: memory
 * grows with the logarithm of the tree. Confined to one thread.
 */
public final class RangeRoot {
    private final SubtreeStack stack;
    private final Deque<byte[]> after = new ArrayDeque<>();

    /**
     * Begins after the leaves before the range.
     *
     * @param from how many they are
     * @param before the full subtrees that cover them, from the left to the right
     */
    public RangeRoot(long from, List<byte[]> before) {
        this(from, before, new LogHasher());
    }

    RangeRoot(long from, List<byte[]> before, LogHasher hasher) {
        if (from < 0 || before.size() != Long.bitCount(from)) {
            throw new IllegalArgumentException("The leaves before " + from + " have " + Long.bitCount(from)
                    + " full subtrees, not " + before.size() + ".");
        }
        this.stack = new SubtreeStack(from, hasher);
        long left = from;
        for (byte[] hash : before) {
            long width = Long.highestOneBit(left);
            stack.before(width, hash);
            left -= width;
        }
    }

    /** Appends the next leaf. */
    public void append(byte[] leafHash) {
        append(leafHash, 0);
    }

    /** Appends the next leaf, whose hash stands in {@code hashes}. */
    void append(byte[] hashes, int at) {
        stack.push(1, hashes, at);
    }

    /** Appends the next leaves. */
    void append(SubtreeStack row) {
        stack.push(row);
    }

    /**
     * Appends the largest full subtree that fits where the leaves have come to, within the size that {@link #root} is
     * asked for.
     */
    public void appendSubtree(byte[] hash) {
        after.add(hash);
    }

    /** The root of the tree of this size; empty when the subtrees after the range are not as many as they must be. */
    public Optional<byte[]> root(long size) {
        Iterator<byte[]> subtrees = after.iterator();
        while (stack.end() < size) {
            if (!subtrees.hasNext()) {
                return Optional.empty();
            }
            long end = stack.end();
            long fits = end == 0 ? Long.highestOneBit(size) : Long.lowestOneBit(end);
            stack.push(Math.min(fits, Long.highestOneBit(size - end)), subtrees.next(), 0);
        }
        return stack.end() > size || subtrees.hasNext() ? Optional.empty() : Optional.of(stack.root());
    }
}
