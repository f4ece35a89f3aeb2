package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.run.Isolation;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Facts reported by the engine.
 *
 * @param cpus processors of its machine
 * @param operatingSystem the containers' operating system; must be linux
 * @param architecture its machine's, as the kernel names it: x86_64
 * @param runtimes the names of its runtimes
 * @param dataFolder where it keeps images, on its own machine
 */
record EngineFacts(int cpus, String operatingSystem, String architecture, Set<String> runtimes, String dataFolder) {
    EngineFacts {
        runtimes = Set.copyOf(runtimes);
    }

    static EngineFacts of(JsonNode info) {
        Set<String> runtimes = new HashSet<>();
        info.path("Runtimes").fieldNames().forEachRemaining(runtimes::add);
        return new EngineFacts(
                Math.max(1, info.path("NCPU").asInt()),
                info.path("OSType").asText(),
                info.path("Architecture").asText(),
                runtimes,
                info.path("DockerRootDir").asText());
    }

    /** The isolation classes of this engine; those without a configured runtime only through the engine's default. */
    Set<Isolation> isolations(Map<Isolation, String> configured) {
        Set<Isolation> available = EnumSet.noneOf(Isolation.class);
        for (Isolation isolation : Isolation.values()) {
            String runtime = configured.get(isolation);
            boolean given = runtime == null ? isolation == Isolation.CONTAINER : runtimes.contains(runtime);
            if (given) {
                available.add(isolation);
            }
        }
        return Set.copyOf(available);
    }
}
