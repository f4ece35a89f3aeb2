package dev.vivarium.persistence.audit.tlog;

import java.util.List;

/**
 * A step of the log, which becomes visible as a whole.
 *
 * @param stored the size that the store must have before; larger than {@code size} when another log begins
 * @param size the size after it
 * @param tiles the tiles that changed
 * @param checkpoint a signed checkpoint over {@code size} events; empty to leave the last one
 */
public record LogGrowth(long stored, long size, List<Tile> tiles, String checkpoint) {
    public LogGrowth {
        tiles = List.copyOf(tiles);
    }
}
