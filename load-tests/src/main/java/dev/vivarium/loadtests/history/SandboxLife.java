package dev.vivarium.loadtests.history;

import java.time.Instant;
import java.util.Optional;

/**
 * A sandbox as the container engine tells it.
 *
 * @param container the engine's name of it
 * @param run whose it is
 * @param attempt which attempt it serves
 * @param node the node that made it
 * @param started when its first process ran
 * @param ended when its last process had ended; where the engine was away, when it was last seen to live; empty while it
 *     lives
 */
public record SandboxLife(
        String container, String run, int attempt, String node, Instant started, Optional<Instant> ended) {
    boolean overlaps(SandboxLife other) {
        return started.isBefore(other.ended.orElse(Instant.MAX)) && other.started.isBefore(ended.orElse(Instant.MAX));
    }
}
