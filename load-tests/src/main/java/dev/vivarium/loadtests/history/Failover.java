package dev.vivarium.loadtests.history;

import dev.vivarium.protocol.run.RunEvent;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The death of one node, in times from it on. All clocks are that of one machine.
 *
 * @param node the node that was killed
 * @param missed until the first peer missed it
 * @param givenUp until the first peer had decided to go on without it
 * @param removed until the first peer had it off the list of members
 * @param moves what each of its runs went through
 * @param losses what became of each of its sandboxes
 * @param disturbed how many runs of other nodes lost their sandboxes as well
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
     * A run on its way from the dead node to another.
     *
     * @param interrupted until another node, which held the run by then, had said that its attempt is over
     * @param starting until the attempt had begun that was the next one to run
     * @param started until that attempt's agent ran
     */
    public record Move(Duration interrupted, Duration starting, Duration started) {}

    /**
     * A sandbox whose node is dead.
     *
     * @param empty until its last process was gone, by the kernel's word
     * @param ended until the engine told that
     * @param removed until the engine had nothing of it any more
     */
    public record Loss(Duration empty, Duration ended, Duration removed) {}

    /**
     * Reads a run's way off its events.
     *
     * @throws IOException when it is not complete
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
