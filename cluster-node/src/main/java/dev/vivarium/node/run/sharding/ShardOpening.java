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
 * Has shards put somewhere that nobody holds, before a run needs them: so every node has shards to be born in and to move
 * from, and no run waits for one. A few at a time, by the first of the nodes, once there have been as many for a while and
 * all have told their loads: what is opened while nodes join would have to move again, to nodes that have just started.
 */
final class ShardOpening {
    private static final int AT_ONCE = 4;
    private static final long SETTLED_NANOS = Duration.ofSeconds(10).toNanos();

    private final String own;
    private final IntSupplier members;
    private final NodeLoads board;
    private final Set<String> all;
    private final Function<String, RunId> nameIn;
    private final Consumer<RunId> touch;
    private final LongSupplier nanos;
    private int membersBefore;
    private long settlingSince;

    /**
     * @param own this node's address
     * @param members how many nodes there are
     * @param all every shard that there is
     * @param nameIn a name of no run in the shard
     * @param touch asks something of the run that changes nothing
     * @param nanos a clock that never jumps, in nanoseconds
     */
    ShardOpening(
            String own,
            IntSupplier members,
            NodeLoads board,
            Set<String> all,
            Function<String, RunId> nameIn,
            Consumer<RunId> touch,
            LongSupplier nanos) {
        this.own = own;
        this.members = members;
        this.board = board;
        this.all = Set.copyOf(all);
        this.nameIn = nameIn;
        this.touch = touch;
        this.nanos = nanos;
    }

    /** To be called again and again, by one thread at a time. */
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
        List<NodeLoad> loads = board.loads();
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
