package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SocketUse;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KernelMemoryWatchTest {
    private static final long MIB = 1L << 20;

    private final SandboxId modest = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzza");
    private final SandboxId greedy = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzb");
    private KernelMemoryWatch watch = KernelMemoryWatch.of(256 * MIB);

    private KernelMemoryWatch.Next look(long uncountedMib, long modestMib, long greedyMib) {
        KernelMemoryWatch.Next next = watch.looked(
                new KernelMemory(uncountedMib * MIB, Map.of(modest, modestMib * MIB, greedy, greedyMib * MIB)));
        watch = next.watch();
        return next;
    }

    @Test
    void theLargestConsumerIsKilledWhenTheGrowthExceedsTheLimit() {
        assertThat(look(1000, 2, 2).taker()).isEmpty();
        assertThat(look(1200, 2, 30).taker()).isEmpty();

        KernelMemoryWatch.Next next = look(1300, 2, 60);

        assertThat(next.taker()).contains(greedy);
        assertThat(next.growthBytes()).isBetween(295 * MIB, 300 * MIB);
    }

    @Test
    void growthCausedOutsideSandboxesKillsNone() {
        look(1000, 2, 2);

        assertThat(look(2000, 2, 3).taker()).isEmpty();
    }

    @Test
    void theNextIsKilledOnlyAfterTheMemoryOfTheFirstCouldBeFreed() {
        look(1000, 40, 60);
        assertThat(look(1300, 40, 60).taker()).contains(greedy);

        assertThat(look(1300, 50, 0).taker()).isEmpty();
        for (int looks = 0; looks < 4; looks++) {
            look(1300, 50, 0);
        }
        assertThat(look(1300, 50, 0).taker()).contains(modest);
    }

    @Test
    void slowGrowthOfTheMachineRaisesTheBaseline() {
        look(1000, 60, 2);
        for (int minute = 1; minute <= 100; minute++) {
            for (int second = 0; second < 60; second++) {
                assertThat(look(1000 + minute * 5, 80, 2).taker()).isEmpty();
            }
        }
    }

    /** Such as connections that are not accepted: little is charged for them. */
    @Test
    void theOneWhoseSocketsHoldWhatNobodyIsChargedForIsKilled() {
        look(1000, 0, 0);
        KernelMemory grown = new KernelMemory(1300 * MIB, Map.of());

        assertThat(watch.isExceededBy(grown)).isTrue();
        assertThat(watch.looked(grown.with(Map.of(
                                modest, new SocketUse(300 * MIB, 310 * MIB), greedy, new SocketUse(MIB, 280 * MIB))))
                        .taker())
                .contains(greedy);
    }
}
