package dev.vivarium.node.run;

import dev.vivarium.node.placement.LoadBoard;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.protocol.run.RunId;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;

/**
 * Has shards put somewhere that nobody holds, before a run needs them: so every node has shards to be born in and to move
 * from, and no run waits for one. A few at a time, by the first of the nodes, once all have told their loads.
 */
final class ShardOpening {
    private static final int AT_ONCE = 4;

    private final String own;
    private final IntSupplier members;
    private final LoadBoard board;
    private final Set<String> all;
    private final Function<String, RunId> nameIn;
    private final Consumer<RunId> touch;

    /**
     * @param own this node's address
     * @param members how many nodes there are
     * @param all every shard that there is
     * @param nameIn a name of no run in the shard
     * @param touch asks something of the run that changes nothing
     */
    ShardOpening(
            String own,
            IntSupplier members,
            LoadBoard board,
            Set<String> all,
            Function<String, RunId> nameIn,
            Consumer<RunId> touch) {
        this.own = own;
        this.members = members;
        this.board = board;
        this.all = Set.copyOf(all);
        this.nameIn = nameIn;
        this.touch = touch;
    }

    void look() {
        List<NodeLoad> loads = board.loads();
        boolean first = loads.stream()
                .map(NodeLoad::address)
                .min(Comparator.naturalOrder())
                .filter(own::equals)
                .isPresent();
        if (!first || loads.size() < members.getAsInt()) {
            return;
        }
        Set<String> unheld = new HashSet<>(all);
        loads.forEach(load -> unheld.removeAll(load.shards()));
        unheld.stream().sorted().limit(AT_ONCE).map(nameIn).forEach(touch);
    }
}
