package dev.vivarium.node.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.LoadBoard;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ShardOpeningTest {
    private static final Set<String> ALL = Set.of("0", "1", "2", "3", "4", "5", "6");

    private final LoadBoard board = new LoadBoard(() -> 0);
    private final List<String> opened = new ArrayList<>();

    @Test
    void theFirstOfTheNodesOpensAFewOfTheShardsThatNobodyHolds() {
        board.told(load("a", Set.of("0")));
        board.told(load("b", Set.of("2")));

        opening("b").look();
        assertThat(opened).isEmpty();
        opening("a").look();

        assertThat(opened).containsExactly("1", "3", "4", "5");
    }

    @Test
    void nothingIsOpenedBeforeAllNodesHaveToldTheirLoads() {
        board.told(load("a", Set.of()));

        opening("a").look();

        assertThat(opened).isEmpty();
    }

    private ShardOpening opening(String own) {
        return new ShardOpening(
                own,
                () -> 2,
                board,
                ALL,
                shard -> new RunId("01j%023d".formatted(Integer.parseInt(shard))),
                id -> opened.add(id.value().substring(25)));
    }

    private static NodeLoad load(String address, Set<String> shards) {
        return new NodeLoad(address, new Capacity(9, 9, 9), Capacity.NONE, 0, 9, NodeLoad.Intake.OPEN, shards);
    }
}
