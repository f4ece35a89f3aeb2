package dev.vivarium.node.placement;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Chooses where to create a new run. Pure. */
public final class Placement {
    private Placement() {}

    /** Where to create a new run, according to the loads. */
    public sealed interface Choice {
        /**
         * In one of the shards of a node with room.
         *
         * @param whenFull what to do if the node turns out to be full: while another node seems to have a free slot,
         *     the run need not wait here
         */
        record InOneOf(Set<String> shards, WhenFull whenFull) implements Choice {}

        /** Nowhere now: no node has a free slot or room in its queue, or no load is known. */
        record Nowhere() implements Choice {}

        /** Nowhere ever: it needs more than the largest node has. */
        record TooLarge(Capacity largest) implements Choice {}
    }

    /**
     * Chooses the node with a free slot and the largest free share; if there is none, the node with the shortest queue
     * for its size. A node without shards stands for the unallocated shards, which are allocated to such a node first.
     *
     * @param loads the known loads
     * @param all all shards
     * @param needs what the run needs
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

    /** The capacity of the largest node, if no node could ever take the run. */
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
