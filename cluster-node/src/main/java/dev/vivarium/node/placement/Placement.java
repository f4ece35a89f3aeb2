package dev.vivarium.node.placement;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Chooses where a new run is born. Pure. */
public final class Placement {
    private Placement() {}

    /**
     * The shards in one of which a new run should be born: those of the node with a slot for it and the largest free
     * share; when no node has one, those of the node with the shortest queue for its size. A node that holds no shard yet
     * stands for those that nobody holds, which are given to such a node first.
     *
     * @param loads what is known of the nodes
     * @param all every shard that there is
     * @param asked what the run asks for
     * @return empty when nothing is known, or no node has room
     */
    public static Set<String> shardsForNewRun(Collection<NodeLoad> loads, Set<String> all, Capacity asked) {
        Set<String> unheld = new HashSet<>(all);
        loads.forEach(load -> unheld.removeAll(load.shards()));
        return Stream.concat(withSlot(loads, asked).stream(), withQueueRoom(loads, asked).stream())
                .map(load -> load.shards().isEmpty() ? Set.copyOf(unheld) : load.shards())
                .filter(shards -> !shards.isEmpty())
                .findFirst()
                .orElse(Set.of());
    }

    private static List<NodeLoad> withSlot(Collection<NodeLoad> loads, Capacity asked) {
        return loads.stream()
                .filter(load -> load.hasSlotFor(asked))
                .sorted(Comparator.comparingDouble(NodeLoad::freeShare)
                        .reversed()
                        .thenComparing(NodeLoad::address))
                .toList();
    }

    private static List<NodeLoad> withQueueRoom(Collection<NodeLoad> loads, Capacity asked) {
        return loads.stream()
                .filter(load -> load.hasQueueRoom() && load.capacity().covers(asked))
                .sorted(Comparator.comparingDouble(NodeLoad::waitingShare).thenComparing(NodeLoad::address))
                .toList();
    }
}
