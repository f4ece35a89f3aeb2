package dev.vivarium.persistence.audit.tlog;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Tiles in memory, which are written and read as a store does. */
public final class MemoryTiles implements Tile.Source {
    private final Map<List<Long>, Tile> tiles = new HashMap<>();

    void put(Collection<Tile> changed) {
        changed.forEach(tile -> tiles.put(List.of((long) tile.level(), tile.index()), tile));
    }

    @Override
    public byte[] tile(int level, long index, int width) {
        Tile tile = tiles.get(List.of((long) level, index));
        if (tile == null || tile.width() < width) {
            throw new TreeDamaged("no such tile: " + level + "/" + index);
        }
        return tile.hashes().toByteArray();
    }
}
