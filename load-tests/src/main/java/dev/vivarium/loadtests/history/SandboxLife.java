package dev.vivarium.loadtests.history;

import java.time.Instant;
import java.util.Optional;

/**
 * A sandbox, from the container engine's events.
 *
 * @param container the engine's id
 * @param run its run
 * @param attempt its attempt
 * @param node the node that created it
 * @param started when its first process ran
 * @param ended when its last process ended; if the engine was down, when it was last seen alive; empty while it is
 *     alive
 */
public record SandboxLife(
        String container, String run, int attempt, String node, Instant started, Optional<Instant> ended) {
    boolean overlaps(SandboxLife other) {
        return started.isBefore(other.ended.orElse(Instant.MAX)) && other.started.isBefore(ended.orElse(Instant.MAX));
    }
}
