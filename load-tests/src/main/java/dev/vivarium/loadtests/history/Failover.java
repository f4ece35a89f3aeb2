package dev.vivarium.loadtests.history;

import dev.vivarium.protocol.run.RunEvent;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The death of one node, as times since its kill. All on one machine's clock.
 *
 * @param node the killed node
 * @param missed until the first peer missed it
 * @param givenUp until the first peer decided to down it
 * @param removed until the first peer removed it from the membership
 * @param moves the moves of its runs
 * @param losses the ends of its sandboxes
 * @param disturbed how many runs of other nodes also lost their sandboxes
 */
public record Failover(
        String node,
        Duration missed,
        Duration givenUp,
        Duration removed,
        List<Move> moves,
        List<Loss> losses,
        int disturbed) {
    public Failover {
        moves = List.copyOf(moves);
        losses = List.copyOf(losses);
    }

    /**
     * A run's move from the dead node to another.
     *
     * @param interrupted until its new owner recorded the attempt's interruption
     * @param starting until the next attempt that ran was started
     * @param started until that attempt's agent ran
     */
    public record Move(Duration interrupted, Duration starting, Duration started) {}

    /**
     * A sandbox of the dead node.
     *
     * @param empty until its last process was gone, according to the kernel
     * @param ended until the engine reported its end; empty with the driver oci, where there is no engine between
     * @param removed until all of it was removed
     */
    public record Loss(Duration empty, Optional<Duration> ended, Duration removed) {}

    /**
     * Derives a run's move from its events.
     *
     * @throws IOException when it is incomplete
     */
    static Move move(Journal journal, String dead, Instant killed) throws IOException {
        List<RunEvent> after = new ArrayList<>();
        for (Journal.Entry entry : journal.entries()) {
            if (entry.event().at().isAfter(killed) && !entry.event().node().equals(dead)) {
                after.add(entry.event());
            }
        }
        RunEvent interrupted = first(journal, after, RunEvent.AttemptInterrupted.class::isInstance, "an end");
        RunEvent.AttemptStarted started = (RunEvent.AttemptStarted)
                first(journal, after, RunEvent.AttemptStarted.class::isInstance, "an agent elsewhere");
        RunEvent starting = first(
                journal,
                after,
                event -> event instanceof RunEvent.AttemptStarting begun && begun.attempt() == started.attempt(),
                "the beginning of attempt " + started.attempt());
        return new Move(
                Duration.between(killed, interrupted.at()),
                Duration.between(killed, starting.at()),
                Duration.between(killed, started.at()));
    }

    private static RunEvent first(Journal journal, List<RunEvent> events, Predicate<RunEvent> wanted, String what)
            throws IOException {
        return events.stream()
                .filter(wanted)
                .findFirst()
                .orElseThrow(() -> new IOException("Run " + journal.run() + ", which is " + journal.shown()
                        + ", has no event of " + what + " since its node was killed."));
    }
}
