package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.kernel.OpenFileTable;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OpenFilesWatchTest {
    private static final long MAX = 1_000_000;

    private final SandboxId modest = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzza");
    private final SandboxId greedy = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzb");
    private final SandboxId second = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzc");

    private List<SandboxId> takers(long inUse, long modestFiles, long greedyFiles, long secondFiles) {
        return OpenFilesWatch.takers(
                        new OpenFileTable(inUse, MAX),
                        new KernelMemory(
                                0,
                                Map.of(
                                        modest, modestFiles * OpenFileTable.FILE_BYTES,
                                        greedy, greedyFiles * OpenFileTable.FILE_BYTES,
                                        second, secondFiles * OpenFileTable.FILE_BYTES)))
                .stream()
                .map(Taker::sandbox)
                .toList();
    }

    @Test
    void asLongAsAQuarterIsLeftNoneEnds() {
        assertThat(takers(750_000, 1_000, 700_000, 1_000)).isEmpty();
    }

    @Test
    void theOneThatHoldsMostEndsWhenLessIsLeft() {
        assertThat(takers(750_001, 1_000, 700_000, 1_000)).containsExactly(greedy);
    }

    @Test
    void asManyEndAsAreNeededToFreeHalfOfTheTable() {
        assertThat(takers(900_000, 160_000, 240_000, 300_000)).containsExactly(second, greedy);
    }

    @Test
    void openFilesOutsideSandboxesKillNone() {
        assertThat(takers(900_000, 1_000, 60_000, 1_000)).isEmpty();
    }

    @Test
    void withoutMeasurementsNoSandboxIsKilled() {
        assertThat(OpenFilesWatch.takers(new OpenFileTable(900_000, MAX), KernelMemory.UNKNOWN))
                .isEmpty();
    }
}
