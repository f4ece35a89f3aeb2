package dev.vivarium.persistence.audit.tlog;

import dev.vivarium.protocol.audit.Subtrees;
import dev.vivarium.protocol.audit.Verify;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tree of some size in a store's tiles, and the proofs about it (RFC 9162, section 2.1). It keeps the tiles that it has
 * read, which for one proof are as many as the tree has levels of tiles; so it is made for one question and dropped.
 * Confined to one thread.
 */
public final class StoredTree {
    private final long size;
    private final Tile.Source source;
    private final Map<List<Long>, byte[]> read = new HashMap<>();

    /** A tree; the store may have a larger one, which begins with it. */
    public StoredTree(long size, Tile.Source source) {
        this.size = size;
        this.source = source;
    }

    /** The hash of a leaf. */
    public byte[] leafHash(long position) {
        return hash(0, position);
    }

    /** The root. */
    public byte[] root() {
        return size == 0 ? Subtrees.emptyRoot() : root(0, size);
    }

    /** The root that the tree had when it had this many leaves. */
    public byte[] rootAt(long earlier) {
        return earlier == 0 ? Subtrees.emptyRoot() : root(0, earlier);
    }

    /** The proof that a position has its leaf, from the leaf's sibling up. */
    public List<byte[]> inclusion(long position) {
        if (position < 0 || position >= size) {
            throw new IllegalArgumentException("The tree has " + size + " leaves.");
        }
        List<byte[]> path = new ArrayList<>();
        inclusion(position, 0, size, path);
        return path;
    }

    private void inclusion(long position, long from, long to, List<byte[]> path) {
        if (to - from == 1) {
            return;
        }
        long middle = from + split(to - from);
        if (position < middle) {
            inclusion(position, from, middle, path);
            path.add(root(middle, to));
        } else {
            inclusion(position, middle, to, path);
            path.add(root(from, middle));
        }
    }

    /** The proof that the tree begins with the one that had this many leaves. */
    public List<byte[]> consistency(long earlier) {
        if (earlier < 0 || earlier > size) {
            throw new IllegalArgumentException("The tree has " + size + " leaves.");
        }
        List<byte[]> proof = new ArrayList<>();
        if (earlier > 0 && earlier < size) {
            consistency(earlier, 0, size, true, proof);
        }
        return proof;
    }

    private void consistency(long earlier, long from, long to, boolean whole, List<byte[]> proof) {
        if (earlier == to) {
            if (!whole) {
                proof.add(root(from, to));
            }
            return;
        }
        long middle = from + split(to - from);
        if (earlier <= middle) {
            consistency(earlier, from, middle, whole, proof);
            proof.add(root(middle, to));
        } else {
            consistency(earlier, middle, to, false, proof);
            proof.add(root(from, middle));
        }
    }

    /** The full subtrees that cover a range of leaves, from the left to the right. */
    public List<byte[]> cover(long from, long to) {
        List<byte[]> roots = new ArrayList<>();
        long at = from;
        while (at < to) {
            long width =
                    Math.min(at == 0 ? Long.highestOneBit(to) : Long.lowestOneBit(at), Long.highestOneBit(to - at));
            roots.add(root(at, at + width));
            at += width;
        }
        return roots;
    }

    /** The largest power of two below a number. */
    private static long split(long leaves) {
        return Long.highestOneBit(leaves - 1);
    }

    private byte[] root(long from, long to) {
        long width = to - from;
        if (Long.bitCount(width) == 1 && from % width == 0) {
            return subtree(Long.numberOfTrailingZeros(width), from / width);
        }
        long middle = from + split(width);
        return Verify.nodeHash(root(from, middle), root(middle, to));
    }

    /** A full subtree, from the tile whose hashes are its nodes. */
    private byte[] subtree(int height, long index) {
        int level = height / 8;
        int above = height % 8;
        List<byte[]> hashes = new ArrayList<>();
        for (long at = index << above; at < (index + 1) << above; at++) {
            hashes.add(hash(level, at));
        }
        return Subtrees.root(hashes);
    }

    private byte[] hash(int level, long at) {
        long index = at / Tile.WIDTH;
        byte[] tile = read.computeIfAbsent(
                List.of((long) level, index),
                first -> source.tile(
                        level, index, (int) Math.min(Tile.WIDTH, (size >>> (level * 8)) - index * Tile.WIDTH)));
        int start = (int) (at % Tile.WIDTH) * Tile.HASH_BYTES;
        return Arrays.copyOfRange(tile, start, start + Tile.HASH_BYTES);
    }
}
