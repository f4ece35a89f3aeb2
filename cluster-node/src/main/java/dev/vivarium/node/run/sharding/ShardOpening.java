package dev.vivarium.node.run.sharding;

import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Has unallocated shards allocated before a run needs them, so that every node has shards for new runs and no run waits
 * for an allocation. Done by the first of the nodes, a few shards at a time, once the number of nodes has been stable
 * for a while and all have reported: shards opened while nodes join would have to move again.
 */
final class ShardOpening {
    private static final int AT_ONCE = 4;
    private static final long SETTLED_NANOS = Duration.ofSeconds(10).toNanos();

    private final String own;
    private final IntSupplier members;
    private final NodeLoads nodeLoads;
    private final Set<String> all;
    private final Function<String, RunId> nameIn;
    private final Consumer<RunId> touch;
    private final LongSupplier nanos;
    private int membersBefore;
    private long settlingSince;

    /**
     * @param own this node's address
     * @param members the number of nodes
     * @param all all shards
     * @param nameIn the id of a nonexistent run in the shard
     * @param touch sends the run a query that changes nothing
     * @param nanos a monotonic clock in nanoseconds
     */
    ShardOpening(
            String own,
            IntSupplier members,
            NodeLoads nodeLoads,
            Set<String> all,
            Function<String, RunId> nameIn,
            Consumer<RunId> touch,
            LongSupplier nanos) {
        this.own = own;
        this.members = members;
        this.nodeLoads = nodeLoads;
        this.all = Set.copyOf(all);
        this.nameIn = nameIn;
        this.touch = touch;
        this.nanos = nanos;
    }

    /** Call periodically, on one thread at a time. */
    void look() {
        int now = members.getAsInt();
        if (now != membersBefore) {
            membersBefore = now;
            settlingSince = nanos.getAsLong();
        }
        if (nanos.getAsLong() - settlingSince >= SETTLED_NANOS) {
            open(now);
        }
    }

    private void open(int count) {
        List<NodeLoad> loads = nodeLoads.loads();
        boolean first = loads.stream()
                .map(NodeLoad::address)
                .min(Comparator.naturalOrder())
                .filter(own::equals)
                .isPresent();
        if (!first || loads.size() < count) {
            return;
        }
        Set<String> unheld = new HashSet<>(all);
        loads.forEach(load -> unheld.removeAll(load.shards()));
        unheld.stream().sorted().limit(AT_ONCE).map(nameIn).forEach(touch);
    }
}
