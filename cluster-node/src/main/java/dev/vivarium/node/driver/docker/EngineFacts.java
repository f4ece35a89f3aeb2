package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.run.Isolation;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What the engine says of itself.
 *
 * @param cpus processors of its machine
 * @param operatingSystem of its sandboxes: linux, or Vivarium cannot use it
 * @param architecture of its machine, in the kernel's words: x86_64
 * @param runtimes the names of its runtimes
 */
record EngineFacts(int cpus, String operatingSystem, String architecture, Set<String> runtimes) {
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
                runtimes);
    }

    /** The classes that this engine can give; those without a runtime of their own only as the engine's default. */
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
