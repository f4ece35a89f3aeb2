package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class CoreFileLimitTest {
    private static final List<String> NONE = limit("0                    0                    bytes");
    private static final List<String> SOFT = limit("0                    unlimited            bytes");
    private static final List<String> ALL = List.of("Uid:\t0\t0\t0\t0", "CapEff:\t000001ffffffffff");
    private static final List<String> WITHOUT_RESOURCE = List.of("CapEff:\t000001fffeffffff");

    private static List<String> limit(String core) {
        return List.of(
                "Limit                     Soft Limit           Hard Limit           Units     ",
                "Max stack size            8388608              unlimited            bytes     ",
                "Max core file size        " + core,
                "Max open files            0                    0                    files     ");
    }

    @Test
    void aHardLimitOfNothingNeedsThePowerToRaiseIt() {
        assertThat(CoreFileLimit.objection(NONE, WITHOUT_RESOURCE).orElseThrow())
                .contains("hard limit for core files is 0")
                .contains("ulimit -S -c 0");
        assertThat(CoreFileLimit.objection(NONE, ALL)).isEmpty();
    }

    @Test
    void aSoftLimitIsEnoughForTheNodeAndNoneOfItsSandboxes() {
        assertThat(CoreFileLimit.objection(SOFT, WITHOUT_RESOURCE)).isEmpty();
    }

    @Test
    void theKernelsOwnFilesCanBeRead() {
        assertThat(CoreFileLimit.objection(Path.of("/proc/self")).filter(why -> why.contains("cannot be read")))
                .isEmpty();
    }
}
