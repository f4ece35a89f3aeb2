package dev.vivarium.node.run.sharding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.QuotaCheck;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.Placed;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.protocol.api.NodeView.Intake;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RunPlacementTest {
    private static final Set<String> ALL = Set.of("0", "1", "2", "3");
    private static final Capacity NEEDS = new Capacity(1, 64, 500);
    private static final Capacity TWO = new Capacity(2, 640, 4000);

    private final Drain drain = new Drain();
    private final NodeSlots slots = new NodeSlots(TWO, 1, 1, drain, () -> 0, QuotaCheck.NONE);
    private final NodeLoads nodeLoads = new NodeLoads(() -> 0);
    private final RunPlacement placement =
            new RunPlacement(slots, drain, NodeClock.system(), nodeLoads, "own", ALL, RunPlacementTest::shard);

    @Test
    void aRunGetsAnIdInAShardOfTheNodeWithMostRoom() {
        report("own", new Capacity(1, 64, 500), 0, "0", "1");
        report("other", Capacity.NONE, 0, "2");

        Placed.Room room = (Placed.Room) placement.place(NEEDS);

        assertThat(shard(room.id())).isEqualTo("2");
        assertThat(room.whenFull()).isEqualTo(WhenFull.REFUSE);
        assertThat(room.needs()).isEqualTo(NEEDS);
    }

    @Test
    void theActualLoadOfThisNodeOverridesItsReportedLoad() {
        report("own", TWO, 1, "0", "1", "2", "3");
        assertThat(placement.place(NEEDS)).isInstanceOf(Placed.Room.class);
        assertThat(placement.placeNamed(name(), NEEDS)).isInstanceOf(Placed.Room.class);

        fill();
        report("own", Capacity.NONE, 0, "0", "1", "2", "3");

        assertThat(refusal(placement.place(NEEDS))).isEqualTo(new SubmitAnswer.Full(1));
        assertThat(refusal(placement.placeNamed(name(), NEEDS))).isEqualTo(new SubmitAnswer.Full(1));
    }

    @Test
    void withoutLoadReportsRunsArePlacedWhileThisNodeHasRoom() {
        assertThat(placement.place(NEEDS)).isInstanceOf(Placed.Room.class);
        fill();
        assertThat(refusal(placement.place(NEEDS))).isEqualTo(new SubmitAnswer.Full(1));
    }

    @Test
    void aNodeThatRefusedARunIsNotOfferedTheNext() {
        report("own", TWO, 1, "0");
        fill();
        report("other", Capacity.NONE, 0, "1", "2", "3");
        Placed.Room room = (Placed.Room) placement.place(NEEDS);

        placement.foundFull(room.queueing());

        assertThat(refusal(placement.place(NEEDS))).isEqualTo(new SubmitAnswer.Full(1));
        assertThat(refusal(placement.placeNamed(room.id(), NEEDS))).isEqualTo(new SubmitAnswer.Full(9));
    }

    @Test
    void aRunForWhichNoNodeIsLargeEnoughIsRefusedAndSoIsEveryRunWhileTheNodeDrains() {
        report("own", Capacity.NONE, 0, "0", "1", "2", "3");
        Capacity huge = new Capacity(1, 1 << 20, 500);
        assertThat(refusal(placement.place(huge))).isEqualTo(new SubmitAnswer.TooLarge(TWO));
        assertThat(refusal(placement.placeNamed(name(), huge))).isEqualTo(new SubmitAnswer.TooLarge(TWO));

        drain.begin();

        assertThat(refusal(placement.place(NEEDS))).isEqualTo(new SubmitAnswer.Draining());
        assertThat(refusal(placement.placeNamed(name(), NEEDS))).isEqualTo(new SubmitAnswer.Draining());
    }

    /** Two runs hold this node's slots, and as many wait as may. */
    private void fill() {
        for (int n = 0; n < 3; n++) {
            slots.claim(new NodeSlots.Claim(
                    name(),
                    Tenant.DEFAULT,
                    NEEDS,
                    TenantUse.NONE,
                    NodeSlots.Seniority.NEW,
                    Instant.EPOCH.plusSeconds(n),
                    "0",
                    () -> {}));
        }
    }

    private void report(String node, Capacity taken, int waiting, String... shards) {
        int waitingMax = node.equals("own") ? 1 : 9;
        nodeLoads.reported(new NodeLoad(
                node, node, TWO, taken, waiting, waitingMax, Intake.OPEN, Set.of(shards), Optional.empty(), List.of()));
    }

    private static SubmitAnswer refusal(Placed place) {
        return ((Placed.Refused) place).answer();
    }

    private RunId name() {
        return placement.nameIn(Set.of());
    }

    private static String shard(RunId id) {
        return Integer.toString(Math.floorMod(id.value().hashCode(), 4));
    }
}
