package dev.vivarium.loadtests.history;

import static dev.vivarium.loadtests.history.Invariant.ACKNOWLEDGED_RUNS_ARE_KEPT;
import static dev.vivarium.loadtests.history.Invariant.CANCELLATIONS_ARE_KEPT;
import static dev.vivarium.loadtests.history.Invariant.ONE_KEY_IS_ONE_RUN;
import static dev.vivarium.loadtests.history.Invariant.RENEWALS_ARE_KEPT;
import static dev.vivarium.loadtests.history.Invariant.WHAT_WAS_READ_STAYS;

import dev.vivarium.protocol.run.RunEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Answers to clients must match what is stored. */
final class ClientChecks {
    private final Trial trial;
    private final List<Violation> violations = new ArrayList<>();

    private ClientChecks(Trial trial) {
        this.trial = trial;
    }

    static List<Violation> check(Trial trial) {
        ClientChecks checks = new ClientChecks(trial);
        checks.checkKeys();
        trial.exchanges().forEach(checks::check);
        return List.copyOf(Set.copyOf(checks.violations));
    }

    /** By the clients' answers, and by the journal for runs without an answer to a client. */
    private void checkKeys() {
        Map<String, Set<String>> runs = new TreeMap<>();
        for (Exchange exchange : trial.exchanges()) {
            if (exchange.ask() == Exchange.Ask.SUBMIT && exchange.answer() instanceof Exchange.Accepted accepted) {
                runs.computeIfAbsent(exchange.key(), key -> new TreeSet<>()).add(accepted.run());
            }
        }
        for (Journal journal : trial.journals().values()) {
            journal.key().ifPresent(key -> runs.computeIfAbsent(key, first -> new TreeSet<>())
                    .add(journal.run()));
        }
        runs.forEach((key, of) -> {
            if (of.size() > 1) {
                of.forEach(run ->
                        found(ONE_KEY_IS_ONE_RUN, run, "Submissions under " + key + " are the runs " + of + "."));
            }
        });
    }

    private void check(Exchange exchange) {
        if (exchange.answer() instanceof Exchange.Accepted accepted) {
            if (exchange.ask() == Exchange.Ask.CANCEL) {
                checkCancellation(exchange, accepted.run());
            } else {
                checkKept(exchange, accepted.run());
            }
        } else if (exchange.answer() instanceof Exchange.Renewed renewed) {
            checkRenewal(exchange, renewed);
        } else if (exchange.answer() instanceof Exchange.CurrentStatus stood) {
            checkStood(exchange, stood);
        } else if (exchange.answer() instanceof Exchange.LatestEvent reached) {
            checkReached(reached);
        }
    }

    private void checkKept(Exchange exchange, String run) {
        Optional<Journal> kept = journal(run);
        if (kept.isEmpty() || kept.get().entries().isEmpty()) {
            found(
                    ACKNOWLEDGED_RUNS_ARE_KEPT,
                    run,
                    "It was acknowledged at " + exchange.answered() + " for " + exchange.key()
                            + " but does not exist.");
        } else if (!kept.get().key().equals(Optional.of(exchange.key()))) {
            found(
                    ACKNOWLEDGED_RUNS_ARE_KEPT,
                    run,
                    "It was acknowledged for " + exchange.key() + " but was submitted under "
                            + kept.get().key().orElse("no key") + ".");
        } else if (kept.get().entries().get(0).event().at().isAfter(exchange.answered())) {
            found(
                    ACKNOWLEDGED_RUNS_ARE_KEPT,
                    run,
                    "It was acknowledged at " + exchange.answered() + ", before it was submitted by its journal.");
        }
    }

    private void checkCancellation(Exchange exchange, String run) {
        Optional<Journal> kept = journal(run);
        boolean requested = kept.stream()
                .flatMap(journal -> journal.entries().stream())
                .anyMatch(entry -> entry.event() instanceof RunEvent.CancelRequested);
        boolean hadEnded = kept.flatMap(Journal::end)
                .filter(end -> !end.at().isAfter(exchange.answered()))
                .isPresent();
        if (!requested && !hadEnded) {
            found(
                    CANCELLATIONS_ARE_KEPT,
                    run,
                    "Its cancellation was acknowledged at " + exchange.answered() + " but does not exist.");
        }
    }

    /** That a kill respects what is in the journal is checked there. */
    private void checkRenewal(Exchange exchange, Exchange.Renewed renewed) {
        boolean isKept = journal(renewed.run()).stream()
                .flatMap(journal -> journal.entries().stream())
                .anyMatch(entry -> entry.event() instanceof RunEvent.DeadlineMoved moved
                        && moved.to().duration().equals(renewed.wallClock())
                        && !moved.at().isAfter(exchange.answered()));
        if (!isKept) {
            found(
                    RENEWALS_ARE_KEPT,
                    renewed.run(),
                    "A wall clock of " + renewed.wallClock() + " was acknowledged at " + exchange.answered()
                            + " but is not in its journal by then.");
        }
    }

    private void checkStood(Exchange exchange, Exchange.CurrentStatus stood) {
        journal(stood.run()).ifPresent(kept -> {
            if (stood.status().isTerminal() && kept.shown() != stood.status()) {
                found(
                        WHAT_WAS_READ_STAYS,
                        stood.run(),
                        "It was " + stood.status() + " at " + exchange.answered() + ", and is " + kept.shown() + ".");
            }
            if (stood.attempt() > kept.attempts()) {
                found(
                        WHAT_WAS_READ_STAYS,
                        stood.run(),
                        "It was in attempt " + stood.attempt() + " at " + exchange.answered() + ", and had "
                                + kept.attempts() + ".");
            }
        });
    }

    private void checkReached(Exchange.LatestEvent reached) {
        boolean there = journal(reached.run()).stream()
                .flatMap(journal -> journal.entries().stream())
                .anyMatch(entry -> entry.seq() == reached.seq() && entry.hash().equals(reached.hash()));
        if (!there) {
            found(
                    WHAT_WAS_READ_STAYS,
                    reached.run(),
                    "Its event " + reached.seq() + " was a different event when it was read.");
        }
    }

    private Optional<Journal> journal(String run) {
        return Optional.ofNullable(trial.journals().get(run));
    }

    private void found(Invariant invariant, String run, String what) {
        violations.add(Violation.of(invariant, run, what));
    }
}
