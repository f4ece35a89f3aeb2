package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class InheritedLimitsTest {
    private static final List<String> ALL = List.of("Uid:\t0\t0\t0\t0", "CapEff:\t000001ffffffffff");
    private static final List<String> WITHOUT_RESOURCE = List.of("CapEff:\t000001fffeffffff");
    private static final Limits FEW = Limits.SMALLEST.with(Limit.OPEN_FILES, 20_000L);
    private static final Limits MANY = Limits.SMALLEST.with(Limit.OPEN_FILES, 20_001L);

    private static List<String> limits(String coreFiles) {
        return List.of(
                "Limit                     Soft Limit           Hard Limit           Units     ",
                "Max stack size            8388608              unlimited            bytes     ",
                "Max core file size        0                    " + coreFiles + "            bytes     ",
                "Max open files            1024                 20000                files     ");
    }

    @Test
    void aHardLimitOfNoCoreFilesNeedsThePowerToRaiseIt() {
        assertThat(InheritedLimits.of(limits("0"), WITHOUT_RESOURCE).objection().orElseThrow())
                .contains("hard limit for core files is 0")
                .contains("ulimit -S -c 0");
        assertThat(InheritedLimits.of(limits("0"), ALL).objection()).isEmpty();
    }

    @Test
    void aSoftLimitIsEnoughForTheNodeAndNoneOfItsSandboxes() {
        assertThat(InheritedLimits.of(limits("unlimited"), WITHOUT_RESOURCE).objection())
                .isEmpty();
    }

    @Test
    void aRunGetsNoMoreOpenFilesThanTheNodeMayHave() {
        InheritedLimits inherited = InheritedLimits.of(limits("unlimited"), WITHOUT_RESOURCE);

        assertThat(inherited.objection(FEW)).isEmpty();
        assertThat(inherited.objection(MANY).orElseThrow())
                .contains("openFiles is 20001, and this node can give 20000")
                .contains("ulimit -H -n");
    }

    @Test
    void aNodeWithThePowerToRaiseGivesAsManyAsAsked() {
        assertThat(InheritedLimits.of(limits("unlimited"), ALL).objection(MANY)).isEmpty();
    }

    @Test
    void theKernelsOwnFilesCanBeRead() throws IOException {
        assertThat(InheritedLimits.of(Path.of("/proc/self")).openFiles()).isPositive();
    }
}
