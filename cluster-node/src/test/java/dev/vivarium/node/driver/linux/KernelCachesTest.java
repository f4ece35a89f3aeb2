package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KernelCachesTest {
    private static final long MIB = 1 << 20;

    private final KernelCaches caches = KernelCaches.of(128 * MIB);

    @Test
    void cachesAreNotReclaimedFarFromTheLimit() {
        assertThat(caches.areToBeGivenBack(60 * MIB, 90 * MIB, false)).isFalse();
    }

    @Test
    void cachesAreReclaimedNearTheLimit() {
        assertThat(caches.areToBeGivenBack(60 * MIB, 100 * MIB, false)).isTrue();
    }

    @Test
    void pinnedKernelMemoryIsNotReclaimedAgainUntilItGrows() {
        KernelCaches pinned = caches.afterwards(60 * MIB);

        assertThat(pinned.areToBeGivenBack(60 * MIB, 120 * MIB, false)).isFalse();
        assertThat(pinned.areToBeGivenBack(65 * MIB, 125 * MIB, false)).isTrue();
    }

    @Test
    void cachesAreReclaimedBeforeTheFinalPeak() {
        assertThat(caches.areToBeGivenBack(20 * MIB, 20 * MIB, true)).isTrue();
        assertThat(caches.areToBeGivenBack(MIB / 2, 2 * MIB, true)).isFalse();
    }
}
