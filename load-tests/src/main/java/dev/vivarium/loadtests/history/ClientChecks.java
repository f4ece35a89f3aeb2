package dev.vivarium.loadtests.history;

import static dev.vivarium.loadtests.history.Invariant.ACKNOWLEDGED_RUNS_ARE_KEPT;
import static dev.vivarium.loadtests.history.Invariant.CANCELLATIONS_ARE_KEPT;
import static dev.vivarium.loadtests.history.Invariant.ONE_KEY_IS_ONE_RUN;
import static dev.vivarium.loadtests.history.Invariant.WHAT_WAS_READ_STAYS;

import dev.vivarium.protocol.run.RunEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What clients were told must be what was kept. */
final class ClientChecks {
    private final Trial trial;
    private final List<Violation> violations = new ArrayList<>();

    private ClientChecks(Trial trial) {
        this.trial = trial;
    }

    static List<Violation> check(Trial trial) {
        ClientChecks checks = new ClientChecks(trial);
        checks.checkKeys();
        trial.heard().forEach(checks::check);
        return List.copyOf(Set.copyOf(checks.violations));
    }

    /** By what clients were told, and by what the journal says of runs that nobody was told of. */
    private void checkKeys() {
        Map<String, Set<String>> runs = new TreeMap<>();
        for (Heard heard : trial.heard()) {
            if (heard.ask() == Heard.Ask.SUBMIT && heard.told() instanceof Heard.Accepted accepted) {
                runs.computeIfAbsent(heard.key(), key -> new TreeSet<>()).add(accepted.run());
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

    private void check(Heard heard) {
        if (heard.told() instanceof Heard.Accepted accepted) {
            if (heard.ask() == Heard.Ask.CANCEL) {
                checkCancellation(heard, accepted.run());
            } else {
                checkKept(heard, accepted.run());
            }
        } else if (heard.told() instanceof Heard.Stood stood) {
            checkStood(heard, stood);
        } else if (heard.told() instanceof Heard.Reached reached) {
            checkReached(reached);
        }
    }

    private void checkKept(Heard heard, String run) {
        Optional<Journal> kept = journal(run);
        if (kept.isEmpty() || kept.get().entries().isEmpty()) {
            found(
                    ACKNOWLEDGED_RUNS_ARE_KEPT,
                    run,
                    "It was acknowledged at " + heard.answered() + " for " + heard.key() + ", and is not there.");
        } else if (!kept.get().key().equals(Optional.of(heard.key()))) {
            found(
                    ACKNOWLEDGED_RUNS_ARE_KEPT,
                    run,
                    "It was acknowledged for " + heard.key() + ", and is what was submitted under "
                            + kept.get().key().orElse("no key") + ".");
        } else if (kept.get().entries().get(0).event().at().isAfter(heard.answered())) {
            found(
                    ACKNOWLEDGED_RUNS_ARE_KEPT,
                    run,
                    "It was acknowledged at " + heard.answered() + ", before it was submitted by its journal.");
        }
    }

    private void checkCancellation(Heard heard, String run) {
        Optional<Journal> kept = journal(run);
        boolean requested = kept.stream()
                .flatMap(journal -> journal.entries().stream())
                .anyMatch(entry -> entry.event() instanceof RunEvent.CancelRequested);
        boolean hadEnded = kept.flatMap(Journal::end)
                .filter(end -> !end.at().isAfter(heard.answered()))
                .isPresent();
        if (!requested && !hadEnded) {
            found(
                    CANCELLATIONS_ARE_KEPT,
                    run,
                    "Its cancellation was acknowledged at " + heard.answered() + ", and is not there.");
        }
    }

    private void checkStood(Heard heard, Heard.Stood stood) {
        journal(stood.run()).ifPresent(kept -> {
            if (stood.status().isTerminal() && kept.shown() != stood.status()) {
                found(
                        WHAT_WAS_READ_STAYS,
                        stood.run(),
                        "It was " + stood.status() + " at " + heard.answered() + ", and is " + kept.shown() + ".");
            }
            if (stood.attempt() > kept.attempts()) {
                found(
                        WHAT_WAS_READ_STAYS,
                        stood.run(),
                        "It was in attempt " + stood.attempt() + " at " + heard.answered() + ", and had "
                                + kept.attempts() + ".");
            }
        });
    }

    private void checkReached(Heard.Reached reached) {
        boolean there = journal(reached.run()).stream()
                .flatMap(journal -> journal.entries().stream())
                .anyMatch(entry -> entry.seq() == reached.seq() && entry.hash().equals(reached.hash()));
        if (!there) {
            found(
                    WHAT_WAS_READ_STAYS,
                    reached.run(),
                    "Its event " + reached.seq() + " was another one when it was read.");
        }
    }

    private Optional<Journal> journal(String run) {
        return Optional.ofNullable(trial.journals().get(run));
    }

    private void found(Invariant invariant, String run, String what) {
        violations.add(Violation.of(invariant, run, what));
    }
}
