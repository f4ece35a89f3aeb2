package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxSample;
import java.io.IOException;

/** A way to measure one sandbox. */
public interface Sampler {
    /**
     * Measures now.
     *
     * @throws IOException when what is read is gone, with its sandbox
     */
    SandboxSample sample() throws IOException;

    /** Gives back what it holds to measure with; measuring fails from then on. Idempotent. */
    default void close() {}
}
