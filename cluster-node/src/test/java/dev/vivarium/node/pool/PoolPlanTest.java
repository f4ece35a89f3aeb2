package dev.vivarium.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.pool.PoolPlan.Next;
import dev.vivarium.node.pool.PoolPlan.Shelf;
import java.util.List;
import org.junit.jupiter.api.Test;

class PoolPlanTest {
    @Test
    void whatIsWantedIsCreatedFewAtATime() {
        assertThat(next(10, 2, List.of(shelf("a", 0, 5, 1, 0))).make()).containsExactly("a", "a");
        assertThat(next(10, 2, List.of(shelf("a", 0, 5, 1, 1))).make()).containsExactly("a");
        assertThat(next(10, 2, List.of(shelf("a", 0, 5, 3, 2))).make()).isEmpty();
    }

    @Test
    void theNeediestKindComesFirst() {
        Next<String> next = next(10, 3, List.of(shelf("half", 0, 4, 2, 0), shelf("empty", 0, 2, 0, 0)));

        assertThat(next.make()).containsExactly("empty", "half", "empty");
    }

    @Test
    void theCeilingIsSharedByWhatIsWanted() {
        Next<String> next = next(4, 9, List.of(shelf("much", 0, 30, 0, 0), shelf("little", 0, 10, 0, 0)));

        assertThat(next.make()).containsExactlyInAnyOrder("much", "much", "much", "little");
    }

    @Test
    void aFloorComesBeforeWhatIsWanted() {
        Next<String> next = next(4, 9, List.of(shelf("floor", 3, 0, 0, 0), shelf("wanted", 0, 30, 0, 0)));

        assertThat(next.make()).containsExactlyInAnyOrder("floor", "floor", "floor", "wanted");
    }

    @Test
    void whatNobodyWantsAnyMoreIsGivenUp() {
        assertThat(next(10, 2, List.of(shelf("a", 0, 1, 3, 0))).giveUp()).containsExactly("a", "a");
        assertThat(next(10, 2, List.of(shelf("a", 2, 0, 3, 0))).giveUp()).containsExactly("a");
        assertThat(next(10, 2, List.of(shelf("a", 0, 0, 1, 2))).giveUp()).containsExactly("a");
    }

    @Test
    void withoutRoomNothingWaits() {
        Next<String> next = next(0, 2, List.of(shelf("floor", 3, 0, 2, 0), shelf("wanted", 0, 30, 1, 0)));

        assertThat(next.make()).isEmpty();
        assertThat(next.giveUp()).containsExactlyInAnyOrder("floor", "floor", "wanted");
    }

    @Test
    void aKindThatHasFailedWaits() {
        Next<String> next = next(10, 2, List.of(new Shelf<>("broken", 2, 9, 0, 0, false), shelf("a", 0, 1, 0, 0)));

        assertThat(next.make()).containsExactly("a");
    }

    private static Next<String> next(int ceiling, int createsMax, List<Shelf<String>> shelves) {
        return PoolPlan.next(shelves, ceiling, createsMax);
    }

    private static Shelf<String> shelf(String kind, int floor, int wanted, int waiting, int making) {
        return new Shelf<>(kind, floor, wanted, waiting, making, true);
    }
}
