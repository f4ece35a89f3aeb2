package dev.vivarium.persistence.audit.tlog;

import dev.vivarium.protocol.audit.Subtrees;
import dev.vivarium.protocol.run.Blob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The right edge of a tree: all that is needed to append leaves and to know the root (RFC 9162, section 2.1.1). Pure, and
 * confined to one thread.
 */
public final class TreeEdge {
    private long size;
    /** The hashes of each level's last tile, which is not full. */
    private final List<List<byte[]>> levels = new ArrayList<>();

    /** The edge of an empty tree. */
    public TreeEdge() {}

    /** The edge of a stored tree. */
    public static TreeEdge of(long size, Tile.Source tiles) {
        TreeEdge edge = new TreeEdge();
        edge.size = size;
        for (int level = 0; hashesAt(size, level) > 0; level++) {
            long hashes = hashesAt(size, level);
            int width = (int) (hashes % Tile.WIDTH);
            List<byte[]> last = new ArrayList<>();
            if (width > 0) {
                byte[] stored = tiles.tile(level, hashes / Tile.WIDTH, width);
                for (int at = 0; at < width; at++) {
                    last.add(Arrays.copyOfRange(stored, at * Tile.HASH_BYTES, (at + 1) * Tile.HASH_BYTES));
                }
            }
            edge.levels.add(last);
        }
        return edge;
    }

    private static long hashesAt(long size, int level) {
        return level * 8 >= Long.SIZE ? 0 : size >>> (level * 8);
    }

    public long size() {
        return size;
    }

    /**
     * Appends leaves.
     *
     * @return the tiles that changed, each as it is now
     */
    public List<Tile> append(List<byte[]> leafHashes) {
        List<Tile> full = new ArrayList<>();
        int touched = 0;
        for (byte[] leafHash : leafHashes) {
            size++;
            byte[] hash = leafHash;
            int level = 0;
            while (true) {
                if (level == levels.size()) {
                    levels.add(new ArrayList<>());
                }
                List<byte[]> tile = levels.get(level);
                tile.add(hash);
                touched = Math.max(touched, level + 1);
                if (tile.size() < Tile.WIDTH) {
                    break;
                }
                full.add(tile(level, hashesAt(size, level) / Tile.WIDTH - 1, tile));
                hash = Subtrees.root(tile);
                tile.clear();
                level++;
            }
        }
        List<Tile> changed = new ArrayList<>(full);
        for (int level = 0; level < touched; level++) {
            if (!levels.get(level).isEmpty()) {
                changed.add(tile(level, hashesAt(size, level) / Tile.WIDTH, levels.get(level)));
            }
        }
        return changed;
    }

    private static Tile tile(int level, long index, List<byte[]> hashes) {
        byte[] bytes = new byte[hashes.size() * Tile.HASH_BYTES];
        for (int at = 0; at < hashes.size(); at++) {
            System.arraycopy(hashes.get(at), 0, bytes, at * Tile.HASH_BYTES, Tile.HASH_BYTES);
        }
        return new Tile(level, index, Blob.of(bytes));
    }

    /** The root: the full subtrees of the edge, joined from the smallest on. */
    public byte[] root() {
        List<byte[]> subtrees = new ArrayList<>();
        for (List<byte[]> tile : levels) {
            int end = tile.size();
            while (end > 0) {
                int width = Integer.lowestOneBit(end);
                subtrees.add(Subtrees.root(tile.subList(end - width, end)));
                end -= width;
            }
        }
        return Subtrees.joined(subtrees);
    }
}
