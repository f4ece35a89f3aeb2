package dev.vivarium.node.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.Placement.Choice;
import dev.vivarium.protocol.api.NodeView.Intake;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PlacementTest {
    @Test
    void whatIsUsedElsewhereIsThatOfTheLastReportsAndWhatWasSentThereSince() {
        NodeLoads nodeLoads = new NodeLoads(() -> 0);
        nodeLoads.reported(load("own", 1, Set.of("0"), ONE_RUN));
        nodeLoads.reported(load("other", 1, Set.of("1"), ONE_RUN));
        TenantUse one = ONE_RUN.use();
        assertThat(nodeLoads.usedBy(Tenant.DEFAULT, "own")).isEqualTo(one);

        nodeLoads.placedIn("1", ASKED, ONE_RUN);
        nodeLoads.placedIn("0", ASKED, ONE_RUN);
        assertThat(nodeLoads.usedBy(Tenant.DEFAULT, "own")).isEqualTo(one.plus(one));
        assertThat(nodeLoads.usedBy(new Tenant("none"), "own")).isEqualTo(TenantUse.NONE);

        nodeLoads.reported(load("other", 2, Set.of("1"), ONE_RUN));
        assertThat(nodeLoads.usedBy(Tenant.DEFAULT, "own")).isEqualTo(one);
    }

    private static NodeLoad load(String name, int live, Set<String> shards, TenantLoad tenant) {
        return new NodeLoad(
                name,
                name,
                new Capacity(9, Capacity.UNLIMITED, Capacity.UNLIMITED),
                new Capacity(live, 64L * live, 500L * live),
                0,
                9,
                Intake.OPEN,
                shards,
                Optional.empty(),
                List.of(tenant));
    }

    private static final TenantLoad ONE_RUN =
            new TenantLoad(Tenant.DEFAULT, new TenantUse(1, 0, 64, 500, 8, 1024, 0, 0));
    private static final Set<String> ALL = Set.of("0", "1", "2", "3");
    private static final Capacity ASKED = new Capacity(1, 64, 500);

    @Test
    void aRunIsPlacedWhereTheLargestShareIsFree() {
        NodeLoad small = load("small", 1, 10, Intake.OPEN, Set.of("0"));
        NodeLoad large = load("large", 50, 100, Intake.OPEN, Set.of("1", "2"));

        assertThat(shards(small, large)).containsExactly("0");
    }

    @Test
    void theScarcestResourceOfANodeDecides() {
        NodeLoad idleButSmall = new NodeLoad(
                "idle",
                "idle",
                new Capacity(10, 128, 4000),
                new Capacity(1, 100, 500),
                0,
                9,
                Intake.OPEN,
                Set.of("0"),
                Optional.empty(),
                List.of());
        NodeLoad busyButLarge = new NodeLoad(
                "busy",
                "busy",
                new Capacity(10, 4096, 4000),
                new Capacity(7, 448, 2500),
                0,
                9,
                Intake.OPEN,
                Set.of("1"),
                Optional.empty(),
                List.of());
        NodeLoad noProcessor = new NodeLoad(
                "none",
                "none",
                new Capacity(10, 4096, 4000),
                new Capacity(1, 64, 3600),
                0,
                9,
                Intake.OPEN,
                Set.of("2"),
                Optional.empty(),
                List.of());

        assertThat(shards(idleButSmall, busyButLarge, noProcessor)).containsExactly("1");
    }

    @Test
    void aNodeWithoutShardsGetsARunInAFreeShard() {
        NodeLoad joined = load("joined", 0, 10, Intake.OPEN, Set.of());
        NodeLoad old = load("old", 5, 10, Intake.OPEN, Set.of("0", "1"));
        NodeLoad holdsAll = load("old", 5, 10, Intake.OPEN, ALL);

        assertThat(shards(joined, old)).containsExactlyInAnyOrder("2", "3");
        assertThat(shards(joined, holdsAll)).isEqualTo(ALL);
    }

    @Test
    void withoutAFreeSlotARunWaitsInTheShortestQueueRelativeToTheNodesSize() {
        NodeLoad small = waiting("small", 10, 3, Set.of("0"));
        NodeLoad large = waiting("large", 100, 8, Set.of("1"));
        NodeLoad full = waiting("full", 10, 9, Set.of("2"));

        assertThat(shards(small, large, full)).containsExactly("1");
        assertThat(shards(full)).isEmpty();
    }

    @Test
    void aRunIsNotQueuedOnANodeThatIsTooSmall() {
        NodeLoad tooSmall = new NodeLoad(
                "small",
                "small",
                new Capacity(10, 32, 4000),
                Capacity.NONE,
                0,
                9,
                Intake.OPEN,
                Set.of("0"),
                Optional.empty(),
                List.of());
        NodeLoad queue = waiting("queue", 10, 8, Set.of("1"));

        assertThat(shards(tooSmall, queue)).containsExactly("1");
    }

    @Test
    void nothingIsPlacedOnNodesThatAreFullOrLeaving() {
        NodeLoad full = load("full", 10, 10, Intake.OPEN, Set.of("0")).full();
        NodeLoad leaving = load("leaving", 0, 10, Intake.CLOSED, Set.of("1"));

        assertThat(shards(full, leaving)).isEmpty();
        assertThat(shards()).isEmpty();
    }

    @Test
    void placedRunsCountUntilTheNodeReportsItsLoad() {
        AtomicLong nanos = new AtomicLong();
        NodeLoads nodeLoads = new NodeLoads(nanos::get);
        nodeLoads.reported(load("a", 3, 10, Intake.OPEN, Set.of("0")));
        nodeLoads.reported(load("b", 4, 10, Intake.OPEN, Set.of("1")));

        nodeLoads.placedIn("0", ASKED, ONE_RUN);
        nodeLoads.placedIn("0", ASKED, ONE_RUN);

        assertThat(shards(nodeLoads.loads())).containsExactly("1");
        nodeLoads.reported(load("a", 3, 10, Intake.OPEN, Set.of("0")));
        assertThat(shards(nodeLoads.loads())).containsExactly("0");
        nanos.addAndGet(Duration.ofSeconds(6).toNanos());
        assertThat(nodeLoads.loads()).isEmpty();
    }

    @Test
    void runsSentToAFullNodeCountInItsQueue() {
        NodeLoads nodeLoads = new NodeLoads(() -> 0);
        nodeLoads.reported(load("a", 10, 10, Intake.OPEN, Set.of("0")));
        nodeLoads.reported(load("b", 10, 10, Intake.OPEN, Set.of("1")));

        nodeLoads.placedIn("0", ASKED, ONE_RUN);

        assertThat(shards(nodeLoads.loads())).containsExactly("1");
        nodeLoads.fullAt("1");
        assertThat(shards(nodeLoads.loads())).containsExactly("0");
    }

    @Test
    void aRunThatFindsItsNodeFullIsOfferedElsewhereOnlyWhileANodeSeemsToHaveAFreeSlot() {
        NodeLoad free = load("free", 5, 10, Intake.OPEN, Set.of("0"));
        NodeLoad queue = waiting("queue", 10, 3, Set.of("1"));

        assertThat(Placement.choose(List.of(free, queue), ALL, ASKED))
                .isEqualTo(new Choice.InOneOf(Set.of("0"), WhenFull.REFUSE));
        assertThat(Placement.choose(List.of(queue), ALL, ASKED))
                .isEqualTo(new Choice.InOneOf(Set.of("1"), WhenFull.QUEUE));
    }

    @Test
    void aRunTooLargeForEveryNodeIsRefusedWithTheLargestCapacity() {
        Capacity huge = new Capacity(1, 1L << 40, 500);
        NodeLoad large = new NodeLoad(
                "large",
                "large",
                new Capacity(4, 12_800, 4000),
                Capacity.NONE,
                0,
                9,
                Intake.OPEN,
                Set.of("1"),
                Optional.empty(),
                List.of());

        assertThat(Placement.choose(List.of(waiting("small", 10, 3, Set.of("0")), large), ALL, huge))
                .isEqualTo(new Choice.TooLarge(large.capacity()));
        assertThat(Placement.choose(List.of(), ALL, huge)).isEqualTo(new Choice.Nowhere());
    }

    private static Set<String> shards(NodeLoad... loads) {
        return shards(List.of(loads));
    }

    private static Set<String> shards(List<NodeLoad> loads) {
        return Placement.choose(loads, ALL, ASKED) instanceof Choice.InOneOf room ? room.shards() : Set.of();
    }

    private static NodeLoad load(String name, int live, int liveMax, Intake intake, Set<String> shards) {
        return new NodeLoad(
                name,
                name,
                new Capacity(liveMax, Capacity.UNLIMITED, Capacity.UNLIMITED),
                new Capacity(live, 64L * live, 500L * live),
                0,
                9,
                intake,
                shards,
                Optional.empty(),
                List.of());
    }

    private static NodeLoad waiting(String name, int liveMax, int waiting, Set<String> shards) {
        Capacity capacity = new Capacity(liveMax, 6400, 64_000);
        return new NodeLoad(
                name,
                name,
                capacity,
                new Capacity(liveMax, 640, 640),
                waiting,
                9,
                Intake.OPEN,
                shards,
                Optional.empty(),
                List.of());
    }
}
