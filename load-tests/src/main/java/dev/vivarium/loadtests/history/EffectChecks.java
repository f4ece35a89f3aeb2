package dev.vivarium.loadtests.history;

import static dev.vivarium.loadtests.history.Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT;

import dev.vivarium.protocol.run.RunEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The agents' own heartbeats must match the attempts that they belong to. */
final class EffectChecks {
    private final Trial trial;
    private final List<Violation> violations = new ArrayList<>();

    private EffectChecks(Trial trial) {
        this.trial = trial;
    }

    static List<Violation> check(Trial trial) {
        EffectChecks checks = new EffectChecks(trial);
        trial.journals().values().forEach(checks::check);
        return checks.violations;
    }

    private void check(Journal journal) {
        Tick.Output output = Tick.read(journal.output());
        output.strangeness().forEach(text -> found(journal, "Its output holds \"" + text + "\""));
        checkOrder(journal, output.ticks());
        checkWhole(journal, output.ticks());
        for (Tick tick : output.ticks()) {
            checkLived(journal, tick);
        }
    }

    /** Attempts in order, each complete from its first heartbeat on, and in order of time. */
    private void checkOrder(Journal journal, List<Tick> ticks) {
        for (int at = 0; at < ticks.size(); at++) {
            Tick tick = ticks.get(at);
            Tick before = at == 0 ? new Tick(0, 0, Instant.MIN) : ticks.get(at - 1);
            boolean follows = tick.attempt() == before.attempt()
                    ? tick.number() == before.number() + 1
                    : tick.attempt() > before.attempt() && tick.number() == 1;
            if (!follows || tick.at().isBefore(before.at())) {
                found(
                        journal,
                        "Sign of life " + tick.number() + " of attempt " + tick.attempt() + " at " + tick.at()
                                + " follows " + before.number() + " of attempt " + before.attempt()
                                + (at == 0 ? "" : " at " + before.at()));
            }
        }
    }

    /** An agent that ended by itself printed everything in its last attempt. */
    private void checkWhole(Journal journal, List<Tick> ticks) {
        Optional<Task> task = journal.key().map(trial.tasks()::get);
        Optional<RunEvent.Terminal> end = journal.end()
                .filter(event -> event instanceof RunEvent.RunSucceeded || event instanceof RunEvent.RunFailed);
        if (task.isPresent() && end.isPresent()) {
            int attempt = end.get().attempt();
            long said = ticks.stream().filter(tick -> tick.attempt() == attempt).count();
            if (said != task.get().ticks()) {
                found(
                        journal,
                        "Attempt " + attempt + " ended by itself, and of its "
                                + task.get().ticks() + " signs of life " + said + " are there");
            }
        }
    }

    /** Every heartbeat lies within the life of its attempt's sandbox, by this machine's clock. */
    private void checkLived(Journal journal, Tick tick) {
        List<SandboxLife> lives = trial.sandboxes().stream()
                .filter(sandbox -> sandbox.run().equals(journal.run()) && sandbox.attempt() == tick.attempt())
                .toList();
        boolean lived = lives.stream().anyMatch(sandbox -> sandbox.mayHaveLived(tick.at()));
        if (!lived) {
            found(
                    journal,
                    "Attempt " + tick.attempt() + " gave a heartbeat at " + tick.at() + ", when it had no sandbox");
        }
    }

    private void found(Journal journal, String what) {
        violations.add(Violation.of(EFFECTS_BELONG_TO_THE_ATTEMPT, journal.run(), what + "."));
    }
}
