package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.driver.SandboxSample;

/**
 * A sample out of the engine's own statistics, for an engine on another machine. It does not count refused forks, and of
 * out-of-memory kills it knows only whether there was one.
 */
final class EngineStats {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private EngineStats() {}

    /**
     * @param stats the engine's answer to a one-shot question for statistics
     * @param outOfMemory what its inspection says about the container
     */
    static SandboxSample sample(JsonNode stats, boolean outOfMemory) {
        JsonNode memory = stats.path("memory_stats");
        JsonNode detail = memory.path("stats");
        long usage = memory.path("usage").asLong();
        // "rss" is version 1's word and "anon" version 2's.
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
