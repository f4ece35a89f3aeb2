package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.github.dockerjava.api.model.HostConfig;
import java.util.List;

/**
 * A host configuration with masked and read-only paths of /proc and /sys: two fields of the engine's API that
 * docker-java does not model. The runtime skips paths that its kernel does not have.
 */
final class KernelFilesHostConfig extends HostConfig {
    private static final long serialVersionUID = 1L;

    private final List<String> hidden;

    KernelFilesHostConfig(List<String> hidden) {
        this.hidden = List.copyOf(hidden);
    }

    @JsonProperty("MaskedPaths")
    List<String> maskedPaths() {
        return hidden;
    }

    /** Kernel settings that root could change, whether or not the agent could. */
    @JsonProperty("ReadonlyPaths")
    List<String> readOnlyPaths() {
        return List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys");
    }
}
