package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.driver.SandboxSample;

/**
 * A sample from the engine's statistics, for an engine on another machine. They do not include refused forks, and only
 * whether any out-of-memory kill happened.
 */
final class EngineStats {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private EngineStats() {}

    /**
     * @param stats the engine's one-shot statistics
     * @param outOfMemory the container's out-of-memory flag from its inspection
     */
    static SandboxSample sample(JsonNode stats, boolean outOfMemory) {
        JsonNode memory = stats.path("memory_stats");
        JsonNode detail = memory.path("stats");
        long usage = memory.path("usage").asLong();
        // "rss" in version 1, "anon" in version 2.
        long anonymous = detail.path("rss").asLong(detail.path("anon").asLong());
        long kernel = detail.path("kernel_stack").asLong() + detail.path("slab").asLong();
        long pids = stats.path("pids_stats").path("current").asLong();
        return new SandboxSample(
                stats.path("cpu_stats").path("cpu_usage").path("total_usage").asLong() / NANOS_PER_MILLI,
                anonymous + kernel,
                detail.path("shmem").asLong(),
                Math.max(usage, memory.path("max_usage").asLong()),
                pids,
                pids,
                outOfMemory ? 1 : 0,
                0);
    }
}
