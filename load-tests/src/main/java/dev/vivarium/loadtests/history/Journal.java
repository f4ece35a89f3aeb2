package dev.vivarium.loadtests.history;

import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunStatus;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What is kept of a run, as a node's API tells it when all is over.
 *
 * @param run the run
 * @param entries its events, oldest first
 * @param shown its status as {@code GET /v1/runs/{id}} has it
 * @param listed its status as {@code GET /v1/runs} has it; empty when it is not in the list
 * @param output what it has printed
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

    /** The idempotency key that it was submitted with, which clients put into a label; empty when there is none. */
    public Optional<String> key() {
        return entries.stream()
                .map(Entry::event)
                .filter(RunEvent.RunSubmitted.class::isInstance)
                .map(event -> ((RunEvent.RunSubmitted) event).spec().labels().get(KEY_LABEL))
                .filter(Objects::nonNull)
                .findFirst();
    }

    /** The label that holds the idempotency key. */
    public static final String KEY_LABEL = "key";

    /** The event that ended it, if one did: the first one. */
    public Optional<RunEvent.Terminal> end() {
        return entries.stream()
                .map(Entry::event)
                .filter(RunEvent.Terminal.class::isInstance)
                .map(RunEvent.Terminal.class::cast)
                .findFirst();
    }

    /** How many attempts were begun. */
    public int attempts() {
        return (int) entries.stream()
                .filter(entry -> entry.event() instanceof RunEvent.AttemptStarting)
                .count();
    }
}
