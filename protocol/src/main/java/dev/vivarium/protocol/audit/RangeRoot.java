package dev.vivarium.protocol.audit;

import dev.vivarium.protocol.run.Blob;
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
    /** A full subtree over this many leaves. */
    private record Subtree(long width, Blob hash) {
        Subtree joined(Subtree right) {
            return new Subtree(2 * width, Blob.of(Verify.nodeHash(hash.toByteArray(), right.hash.toByteArray())));
        }
    }

    private final Deque<Subtree> stack = new ArrayDeque<>();
    private final Deque<byte[]> after = new ArrayDeque<>();
    private long end;

    /**
     * Begins after the leaves before the range.
     *
     * @param from how many they are
     * @param before the full subtrees that cover them, from the left to the right
     */
    public RangeRoot(long from, List<byte[]> before) {
        if (before.size() != Long.bitCount(from)) {
            throw new IllegalArgumentException("The leaves before " + from + " have " + Long.bitCount(from)
                    + " full subtrees, not " + before.size() + ".");
        }
        long left = from;
        for (byte[] hash : before) {
            long width = Long.highestOneBit(left);
            stack.push(new Subtree(width, Blob.of(hash)));
            left -= width;
        }
        this.end = from;
    }

    /** Appends the next leaf. */
    public void append(byte[] leafHash) {
        push(new Subtree(1, Blob.of(leafHash)));
    }

    /**
     * Appends the largest full subtree that fits where the leaves have come to, within the size that {@link #root} is
     * asked for.
     */
    public void appendSubtree(byte[] hash) {
        after.add(hash);
    }

    private void push(Subtree subtree) {
        end += subtree.width();
        Subtree joined = subtree;
        while (!stack.isEmpty() && stack.getFirst().width() == joined.width()) {
            joined = stack.pop().joined(joined);
        }
        stack.push(joined);
    }

    /** The root of the tree of this size; empty when the subtrees after the range are not as many as they must be. */
    public Optional<byte[]> root(long size) {
        Iterator<byte[]> subtrees = after.iterator();
        while (end < size) {
            if (!subtrees.hasNext()) {
                return Optional.empty();
            }
            long fits = end == 0 ? Long.highestOneBit(size) : Long.lowestOneBit(end);
            push(new Subtree(Math.min(fits, Long.highestOneBit(size - end)), Blob.of(subtrees.next())));
        }
        return end > size || subtrees.hasNext()
                ? Optional.empty()
                : Optional.of(Subtrees.joined(
                        stack.stream().map(one -> one.hash().toByteArray()).toList()));
    }
}
