package dev.vivarium.node.run.sharding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ShardOpeningTest {
    private static final Set<String> ALL = Set.of("0", "1", "2", "3", "4", "5", "6");

    private final NodeLoads nodeLoads = new NodeLoads(() -> 0);
    private final List<String> opened = new ArrayList<>();
    private final AtomicLong nanos = new AtomicLong();

    @Test
    void theFirstNodeOpensAFewFreeShards() {
        nodeLoads.reported(load("a", Set.of("0")));
        nodeLoads.reported(load("b", Set.of("2")));

        settled(opening("b"));
        assertThat(opened).isEmpty();
        settled(opening("a"));

        assertThat(opened).containsExactly("1", "3", "4", "5");
    }

    @Test
    void noShardIsOpenedBeforeAllNodesHaveReportedTheirLoad() {
        nodeLoads.reported(load("a", Set.of()));

        settled(opening("a"));

        assertThat(opened).isEmpty();
    }

    @Test
    void noShardIsOpenedWhileNodesJoin() {
        nodeLoads.reported(load("a", Set.of()));
        nodeLoads.reported(load("b", Set.of()));
        ShardOpening opening = opening("a");

        opening.look();
        nanos.addAndGet(Duration.ofSeconds(9).toNanos());
        opening.look();
        assertThat(opened).isEmpty();

        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        opening.look();
        assertThat(opened).hasSize(4);
    }

    private void settled(ShardOpening opening) {
        opening.look();
        nanos.addAndGet(Duration.ofSeconds(10).toNanos());
        opening.look();
    }

    private ShardOpening opening(String own) {
        return new ShardOpening(
                own,
                () -> 2,
                nodeLoads,
                ALL,
                shard -> new RunId("01j%023d".formatted(Integer.parseInt(shard))),
                id -> opened.add(id.value().substring(25)),
                nanos::get);
    }

    private static NodeLoad load(String address, Set<String> shards) {
        return new NodeLoad(
                address,
                address,
                new Capacity(9, 9, 9),
                Capacity.NONE,
                0,
                9,
                NodeView.Intake.OPEN,
                shards,
                Optional.empty(),
                List.of());
    }
}
