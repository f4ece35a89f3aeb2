package dev.vivarium.node.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.NodeLoad.Intake;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private static final Set<String> ALL = Set.of("0", "1", "2", "3");

    @Test
    void aRunIsBornWhereTheLargestShareIsFree() {
        NodeLoad small = new NodeLoad("small", 1, 10, Intake.OPEN, Set.of("0"));
        NodeLoad large = new NodeLoad("large", 50, 100, Intake.OPEN, Set.of("1", "2"));

        assertThat(Placement.shardsForNewRun(List.of(small, large), ALL)).containsExactly("0");
    }

    @Test
    void aNodeWithoutShardsGetsARunInOneThatNobodyHolds() {
        NodeLoad joined = new NodeLoad("joined", 0, 10, Intake.OPEN, Set.of());
        NodeLoad old = new NodeLoad("old", 5, 10, Intake.OPEN, Set.of("0", "1"));
        NodeLoad holdsAll = new NodeLoad("old", 5, 10, Intake.OPEN, ALL);

        assertThat(Placement.shardsForNewRun(List.of(joined, old), ALL)).containsExactlyInAnyOrder("2", "3");
        assertThat(Placement.shardsForNewRun(List.of(joined, holdsAll), ALL)).isEqualTo(ALL);
    }

    @Test
    void nothingIsPlacedOnNodesThatAreFullOrLeaving() {
        NodeLoad full = new NodeLoad("full", 10, 10, Intake.OPEN, Set.of("0"));
        NodeLoad leaving = new NodeLoad("leaving", 0, 10, Intake.CLOSED, Set.of("1"));

        assertThat(Placement.shardsForNewRun(List.of(full, leaving), ALL)).isEmpty();
        assertThat(Placement.shardsForNewRun(List.of(), ALL)).isEmpty();
    }

    @Test
    void whatWasPlacedCountsUntilTheNodeTellsItsLoadAgain() {
        AtomicLong nanos = new AtomicLong();
        LoadBoard board = new LoadBoard(nanos::get);
        board.told(new NodeLoad("a", 3, 10, Intake.OPEN, Set.of("0")));
        board.told(new NodeLoad("b", 4, 10, Intake.OPEN, Set.of("1")));

        board.placedIn("0");
        board.placedIn("0");

        assertThat(Placement.shardsForNewRun(board.loads(), ALL)).containsExactly("1");
        board.told(new NodeLoad("a", 3, 10, Intake.OPEN, Set.of("0")));
        assertThat(Placement.shardsForNewRun(board.loads(), ALL)).containsExactly("0");
        nanos.addAndGet(Duration.ofSeconds(6).toNanos());
        assertThat(board.loads()).isEmpty();
    }
}
