package dev.vivarium.persistence.audit.tlog;

import dev.vivarium.protocol.run.Blob;
import java.util.Arrays;

/**
 * Consecutive hashes of one level of the tree, as C2SP tlog-tiles cuts it: a tile of level 0 has the hashes of leaves, and
 * each hash of a tile above is the root of a full tile below. Only the last tile of a level has fewer than {@value
 * #WIDTH} hashes, and it only ever grows.
 *
 * @param level 0 for leaves
 * @param index the tile's place in its level
 * @param hashes 32 bytes each
 */
public record Tile(int level, long index, Blob hashes) {
    /** Hashes of a full tile. */
    public static final int WIDTH = 256;

    /** Bytes of a hash. */
    public static final int HASH_BYTES = 32;

    /** How many hashes it has. */
    public int width() {
        return hashes.length() / HASH_BYTES;
    }

    /**
     * The hashes of a tile that was read.
     *
     * @throws TreeDamaged when they are fewer
     */
    public static byte[] atLeast(int width, int level, long index, byte[] hashes) {
        if (hashes.length < width * HASH_BYTES) {
            throw new TreeDamaged("The store has lost hashes of the log: tile " + index + " of level " + level + " has "
                    + hashes.length / HASH_BYTES + " of " + width + ".");
        }
        return hashes;
    }

    /** The first hashes of a tile. */
    public static byte[] first(int width, byte[] hashes) {
        return Arrays.copyOf(hashes, width * HASH_BYTES);
    }

    /** Where tiles are read. */
    public interface Source {
        /**
         * A tile with at least so many hashes.
         *
         * @throws TreeDamaged when the store has no such tile
         */
        byte[] tile(int level, long index, int width);
    }
}
