package dev.vivarium.protocol.audit;

import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.act.Positions.Range;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Positions without an event which no act has explained so far: acts come later in the order than what they delete. A bit for
 * each position, in pieces, so that memory goes by where holes are and not by how many acts name them. Confined to one thread.
 */
final class Holes {
    private static final int PIECE = 1 << 16;

    private final TreeMap<Long, BitSet> pieces = new TreeMap<>();
    private long explained;

    void add(long from, long to) {
        for (long at = from; at < to; at++) {
            pieces.computeIfAbsent(at / PIECE, first -> new BitSet()).set((int) (at % PIECE));
        }
    }

    /** Takes out those that an act names, as far as they come before it. */
    void explain(Positions named, long act) {
        for (Range range : named.ranges()) {
            explain(range.first(), Math.min(range.last() + 1, act));
        }
    }

    private void explain(long from, long to) {
        if (from >= to) {
            return;
        }
        Iterator<Map.Entry<Long, BitSet>> touched = pieces.subMap(from / PIECE, true, (to - 1) / PIECE, true)
                .entrySet()
                .iterator();
        while (touched.hasNext()) {
            Map.Entry<Long, BitSet> piece = touched.next();
            long begin = piece.getKey() * PIECE;
            BitSet bits = piece.getValue();
            int before = bits.cardinality();
            bits.clear((int) Math.max(0, from - begin), (int) Math.min(PIECE, to - begin));
            explained += before - bits.cardinality();
            if (bits.isEmpty()) {
                touched.remove();
            }
        }
    }

    boolean isEmpty() {
        return pieces.isEmpty();
    }

    /** How many were explained. */
    long explained() {
        return explained;
    }

    /** The first ranges that are left. */
    List<Range> left(int max) {
        List<Range> left = new ArrayList<>();
        for (Map.Entry<Long, BitSet> piece : pieces.entrySet()) {
            long begin = piece.getKey() * PIECE;
            BitSet bits = piece.getValue();
            int from = bits.nextSetBit(0);
            while (from >= 0) {
                int to = bits.nextClearBit(from);
                int last = left.size() - 1;
                if (last >= 0 && left.get(last).last() == begin + from - 1) {
                    left.set(last, new Range(left.get(last).first(), begin + to - 1));
                } else if (left.size() == max) {
                    return left;
                } else {
                    left.add(new Range(begin + from, begin + to - 1));
                }
                from = bits.nextSetBit(to);
            }
        }
        return left;
    }
}
