package dev.vivarium.node.placement;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Chooses where a new run is born. Pure. */
public final class Placement {
    private Placement() {}

    /** Where a new run is born, as far as the loads say. */
    public sealed interface Choice {
        /**
         * In one of the shards of a node that has room.
         *
         * @param whenFull what it does should the node be full after all: while one seems to have a free slot it need not
         *     wait on another
         */
        record InOneOf(Set<String> shards, WhenFull whenFull) implements Choice {}

        /** Nowhere: no node has a slot for it, or room to wait for one; or nothing is known of any. */
        record Nowhere() implements Choice {}

        /** Nowhere ever: it asks for more than the largest node has. */
        record TooLarge(Capacity largest) implements Choice {}
    }

    /**
     * Chooses the node with a slot for the run and the largest free share; when no node has one, the one with the shortest
     * queue for its size. A node that holds no shard yet stands for those that nobody holds, which are given to such a node
     * first.
     *
     * @param loads what is known of the nodes
     * @param all every shard that there is
     * @param needs what the run asks for
     */
    public static Choice choose(Collection<NodeLoad> loads, Set<String> all, Capacity needs) {
        Optional<Capacity> largest = largestIfTooSmall(loads, needs);
        if (largest.isPresent()) {
            return new Choice.TooLarge(largest.get());
        }
        Set<String> unheld = new HashSet<>(all);
        loads.forEach(load -> unheld.removeAll(load.shards()));
        return Stream.concat(withSlot(loads, needs).stream(), withQueueRoom(loads, needs).stream())
                .map(load -> load.shards().isEmpty() ? Set.copyOf(unheld) : load.shards())
                .filter(shards -> !shards.isEmpty())
                .findFirst()
                .<Choice>map(shards -> new Choice.InOneOf(shards, whenFull(loads, needs)))
                .orElseGet(Choice.Nowhere::new);
    }

    private static WhenFull whenFull(Collection<NodeLoad> loads, Capacity needs) {
        return loads.stream().anyMatch(load -> load.hasSlotFor(needs)) ? WhenFull.REFUSE : WhenFull.QUEUE;
    }

    /** The capacity of the largest node, if none could ever take the run. */
    public static Optional<Capacity> largestIfTooSmall(Collection<NodeLoad> loads, Capacity needs) {
        return loads.stream().anyMatch(load -> load.capacity().covers(needs))
                ? Optional.empty()
                : loads.stream()
                        .map(NodeLoad::capacity)
                        .max(Comparator.comparingLong(Capacity::memoryBytes).thenComparingLong(Capacity::millicores));
    }

    private static List<NodeLoad> withSlot(Collection<NodeLoad> loads, Capacity needs) {
        return loads.stream()
                .filter(load -> load.hasSlotFor(needs))
                .sorted(Comparator.comparingDouble(NodeLoad::freeShare)
                        .reversed()
                        .thenComparing(NodeLoad::address))
                .toList();
    }

    private static List<NodeLoad> withQueueRoom(Collection<NodeLoad> loads, Capacity needs) {
        return loads.stream()
                .filter(load -> load.hasQueueRoom() && load.capacity().covers(needs))
                .sorted(Comparator.comparingDouble(NodeLoad::waitingShare).thenComparing(NodeLoad::address))
                .toList();
    }
}
