package dev.vivarium.node.placement;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Chooses where a new run is born. Pure. */
public final class Placement {
    private Placement() {}

    /**
     * The shards in one of which a new run should be born: those of the node with the largest free share, or, when that
     * holds none yet, those that nobody holds, which are given to such a node first.
     *
     * @param loads what is known of the nodes
     * @param all every shard that there is
     * @return empty when nothing is known, or no node has room
     */
    public static Set<String> shardsForNewRun(Collection<NodeLoad> loads, Set<String> all) {
        Set<String> unheld = new HashSet<>(all);
        loads.forEach(load -> unheld.removeAll(load.shards()));
        List<NodeLoad> emptiestFirst = loads.stream()
                .filter(load -> load.free() > 0)
                .sorted(Comparator.comparingDouble(NodeLoad::freeShare)
                        .thenComparingInt(NodeLoad::free)
                        .reversed()
                        .thenComparing(NodeLoad::address))
                .toList();
        for (NodeLoad load : emptiestFirst) {
            Set<String> shards = load.shards().isEmpty() ? unheld : load.shards();
            if (!shards.isEmpty()) {
                return Set.copyOf(shards);
            }
        }
        return Set.of();
    }
}
