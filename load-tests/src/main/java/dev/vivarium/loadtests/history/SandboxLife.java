package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Driver;
import java.time.Instant;
import java.util.Optional;

/**
 * A sandbox, as seen from outside of the nodes. An observer that looks from time to time knows less than one that is told:
 * between {@code started} and {@code ended} the sandbox lived, and it did not before {@code earliest} nor after {@code latest}.
 *
 * @param driver what made it
 * @param id the engine's id of the container, or the sandbox's id
 * @param run its run
 * @param attempt its attempt
 * @param node the node that created it
 * @param started when its first process ran, or it was first seen with one
 * @param ended when its last process ended, or it was last seen with one; empty while it is alive
 * @param earliest when it was last seen without a process before that
 * @param latest when it was first seen without a process after that; empty while it is alive
 */
public record SandboxLife(
        Driver driver,
        String id,
        String run,
        int attempt,
        String node,
        Instant started,
        Optional<Instant> ended,
        Instant earliest,
        Optional<Instant> latest) {
    /** One whose start and end were reported. */
    SandboxLife(
            Driver driver, String id, String run, int attempt, String node, Instant started, Optional<Instant> ended) {
        this(driver, id, run, attempt, node, started, ended, started, ended);
    }

    /** Whether they lived at the same time, for certain. */
    boolean overlaps(SandboxLife other) {
        return started.isBefore(other.ended.orElse(Instant.MAX)) && other.started.isBefore(ended.orElse(Instant.MAX));
    }

    /** Whether it may have lived at that time. */
    boolean mayHaveLived(Instant at) {
        return !at.isBefore(earliest) && !at.isAfter(latest.orElse(Instant.MAX));
    }
}
