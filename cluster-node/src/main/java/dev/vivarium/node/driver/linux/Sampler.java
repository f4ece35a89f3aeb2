package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxSample;
import java.io.IOException;

/** A way to measure one sandbox. */
public interface Sampler {
    /**
     * Takes a sample.
     *
     * @throws IOException when the sandbox is gone
     */
    SandboxSample sample() throws IOException;

    /** Releases its resources; sampling fails afterwards. Idempotent. */
    default void close() {}
}
