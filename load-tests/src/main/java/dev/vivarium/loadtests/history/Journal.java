package dev.vivarium.loadtests.history;

import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunStatus;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The stored state of a run, read from a node's API at the end.
 *
 * @param run the run
 * @param entries its events, oldest first
 * @param shown its status by {@code GET /v1/runs/{id}}
 * @param listed its status by {@code GET /v1/runs}; empty when it is not in the list
 * @param output its output
 */
public record Journal(String run, List<Entry> entries, RunStatus shown, Optional<RunStatus> listed, String output) {
    /** One event with its place in the chain. */
    public record Entry(long seq, RunEvent event, String previousHash, String hash) {
        String type() {
            return event.getClass().getSimpleName();
        }
    }

    public Journal {
        entries = List.copyOf(entries);
    }

    /** The idempotency key it was submitted with, from the label that clients set; empty when there is none. */
    public Optional<String> key() {
        return entries.stream()
                .map(Entry::event)
                .filter(RunEvent.RunSubmitted.class::isInstance)
                .map(event -> ((RunEvent.RunSubmitted) event).spec().labels().get(KEY_LABEL))
                .filter(Objects::nonNull)
                .findFirst();
    }

    /** The label with the idempotency key. */
    public static final String KEY_LABEL = "key";

    /** The first terminal event, if there is one. */
    public Optional<RunEvent.Terminal> end() {
        return entries.stream()
                .map(Entry::event)
                .filter(RunEvent.Terminal.class::isInstance)
                .map(RunEvent.Terminal.class::cast)
                .findFirst();
    }

    /** The number of attempts. */
    public int attempts() {
        return (int) entries.stream()
                .filter(entry -> entry.event() instanceof RunEvent.AttemptStarting)
                .count();
    }
}
