package dev.vivarium.loadtests.history;

import static dev.vivarium.loadtests.history.Invariant.ALL_VIEWS_AGREE;
import static dev.vivarium.loadtests.history.Invariant.EVENTS_ARE_A_LEGAL_PATH;
import static dev.vivarium.loadtests.history.Invariant.EVENTS_ARE_CHAINED;
import static dev.vivarium.loadtests.history.Invariant.EVERY_RUN_ENDS_EXACTLY_ONCE;
import static dev.vivarium.loadtests.history.Invariant.RENEWALS_ARE_KEPT;
import static dev.vivarium.loadtests.history.Invariant.RUNS_END_FOR_A_REASON;

import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** Checks on the events of a single run. */
final class JournalChecks {
    private final Trial trial;
    private final List<Violation> violations = new ArrayList<>();

    private JournalChecks(Trial trial) {
        this.trial = trial;
    }

    static List<Violation> check(Trial trial) {
        JournalChecks checks = new JournalChecks(trial);
        trial.journals().values().forEach(checks::check);
        return checks.violations;
    }

    private void check(Journal journal) {
        checkEnd(journal);
        checkChain(journal);
        Optional<RunState.Existing> state = fold(journal);
        state.ifPresent(last -> {
            checkViews(journal, last.status());
            if (last instanceof RunState.Finished finished) {
                checkReason(journal, finished);
                checkDeadline(journal, finished);
            }
        });
    }

    private void checkEnd(Journal journal) {
        List<Journal.Entry> ends = journal.entries().stream()
                .filter(entry -> entry.event() instanceof RunEvent.Terminal)
                .toList();
        if (ends.isEmpty()) {
            found(EVERY_RUN_ENDS_EXACTLY_ONCE, journal, "It has not ended: it is " + journal.shown() + ".");
        } else if (ends.size() > 1) {
            found(
                    EVERY_RUN_ENDS_EXACTLY_ONCE,
                    journal,
                    "It has ended " + ends.size() + " times: "
                            + ends.stream().map(Journal.Entry::type).toList() + ".");
        } else if (ends.get(0).seq()
                != journal.entries().get(journal.entries().size() - 1).seq()) {
            found(
                    EVERY_RUN_ENDS_EXACTLY_ONCE,
                    journal,
                    "Events follow its " + ends.get(0).type() + ".");
        }
    }

    /** The state after all events; empty when they are not a legal sequence. */
    private Optional<RunState.Existing> fold(Journal journal) {
        RunState state = RunState.initial();
        long expected = 1;
        for (Journal.Entry entry : journal.entries()) {
            if (entry.seq() != expected) {
                found(
                        EVENTS_ARE_A_LEGAL_PATH,
                        journal,
                        "Event " + entry.seq() + " stands where " + expected + " should.");
                return Optional.empty();
            }
            if (!state.accepts(entry.event())) {
                found(
                        EVENTS_ARE_A_LEGAL_PATH,
                        journal,
                        "Event " + entry.seq() + ", " + entry.type() + ", may not happen to a run that is "
                                + state.getClass().getSimpleName() + attempt(state) + ".");
                return Optional.empty();
            }
            state = state.after(entry.event());
            expected++;
        }
        return state instanceof RunState.Existing existing ? Optional.of(existing) : Optional.empty();
    }

    private static String attempt(RunState state) {
        return state instanceof RunState.Existing existing ? " in attempt " + existing.attempt() : "";
    }

    private void checkChain(Journal journal) {
        String previous = genesis(journal.run());
        for (Journal.Entry entry : journal.entries()) {
            if (!entry.previousHash().equals(previous)) {
                found(EVENTS_ARE_CHAINED, journal, "Event " + entry.seq() + " does not follow from its predecessor.");
                return;
            }
            previous = entry.hash();
        }
    }

    /** The hash before a run's first event. */
    static String genesis(String run) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(("vivarium.run:" + run).getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("Every Java platform has SHA-256.", missing);
        }
    }

    private void checkViews(Journal journal, RunStatus status) {
        if (journal.shown() != status) {
            found(
                    ALL_VIEWS_AGREE,
                    journal,
                    "It is shown as " + journal.shown() + " but its events say " + status + ".");
        }
        if (!journal.listed().equals(Optional.of(status))) {
            found(
                    ALL_VIEWS_AGREE,
                    journal,
                    journal.listed().map(listed -> "It is listed as " + listed).orElse("It is not in the list")
                            + " but its events say " + status + ".");
        }
    }

    /** A kill at the deadline is one at the deadline in force, which is the last that the journal has. */
    private void checkDeadline(Journal journal, RunState.Finished finished) {
        if (!(finished.end() instanceof RunEvent.RunKilled killed) || killed.reason() != KillReason.WALL_CLOCK) {
            return;
        }
        long inForce = Limit.WALL_CLOCK.amountIn(finished.submission().limitsInForce());
        boolean isKept = killed.measurement()
                .filter(measured -> measured.limit() == inForce && measured.measured() >= inForce)
                .isPresent();
        if (!isKept) {
            found(
                    RENEWALS_ARE_KEPT,
                    journal,
                    "It was killed for its wall clock by " + killed.measurement() + ", with " + inForce
                            + " ms in force.");
        }
    }

    // ---- why it ended

    private void checkReason(Journal journal, RunState.Finished finished) {
        RunSpec spec = finished.submission().spec();
        RunEvent.Terminal end = finished.end();
        int allowed = spec.onNodeLoss() == NodeLossPolicy.RESTART ? spec.maxAttempts() : 1;
        if (journal.attempts() > allowed) {
            wrong(journal, "It had " + journal.attempts() + " attempts, and was allowed " + allowed);
        }
        Optional<Task> task = journal.key().map(trial.tasks()::get);
        boolean asked = finished.submission().cancelRequestedAt().isPresent();
        if (end instanceof RunEvent.RunCancelled && !asked) {
            wrong(journal, "It was cancelled without a request");
        }
        if (end instanceof RunEvent.RunNotStarted notStarted) {
            wrong(journal, "It was given up before its agent ran: " + notStarted.failure());
        }
        if (end instanceof RunEvent.RunLost && journal.attempts() < allowed && !asked) {
            wrong(journal, "It was lost in attempt " + journal.attempts() + ", and was allowed " + allowed);
        }
        if (end instanceof RunEvent.RunKilled killed
                && !(killed.reason() == KillReason.WALL_CLOCK
                        && task.map(Task::kind).equals(Optional.of(Task.Kind.TIMED)))) {
            wrong(journal, "It was killed for " + killed.reason());
        }
        if (end instanceof RunEvent.RunSucceeded && exitCode(task) != 0) {
            wrong(journal, "It succeeded, and its agent cannot");
        }
        if (end instanceof RunEvent.RunFailed failed && failed.exitCode() != exitCode(task)) {
            wrong(journal, "It failed with exit code " + failed.exitCode() + ", and its agent cannot");
        }
    }

    /** The agent's exit code; an impossible code if it never exits. */
    private static int exitCode(Optional<Task> task) {
        return task.filter(known -> known.kind() != Task.Kind.CANCELLED && known.kind() != Task.Kind.TIMED)
                .map(Task::exitCode)
                .orElse(-1);
    }

    private void wrong(Journal journal, String what) {
        found(RUNS_END_FOR_A_REASON, journal, what + ".");
    }

    private void found(Invariant invariant, Journal journal, String what) {
        violations.add(Violation.of(invariant, journal.run(), what));
    }
}
