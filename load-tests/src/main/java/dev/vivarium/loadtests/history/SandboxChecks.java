package dev.vivarium.loadtests.history;

import static dev.vivarium.loadtests.history.Invariant.LIVE_SANDBOXES_NEED_NO_ENGINE;
import static dev.vivarium.loadtests.history.Invariant.NO_ORPHANS;
import static dev.vivarium.loadtests.history.Invariant.ONE_LIVE_SANDBOX;
import static dev.vivarium.loadtests.history.Invariant.SANDBOXES_ARE_JOURNALED;
import static dev.vivarium.loadtests.history.Invariant.SANDBOXES_ARE_SEEN;

import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.RunEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The sandboxes that were seen must match the journal in time. */
final class SandboxChecks {
    /** At most one attempt in this many may have gone unseen. */
    private static final int UNSEEN_ONE_IN = 10;

    private final Trial trial;
    private final List<Violation> violations = new ArrayList<>();

    private SandboxChecks(Trial trial) {
        this.trial = trial;
    }

    static List<Violation> check(Trial trial) {
        SandboxChecks checks = new SandboxChecks(trial);
        Map<String, List<SandboxLife>> byRun =
                trial.sandboxes().stream().collect(Collectors.groupingBy(SandboxLife::run));
        byRun.forEach(checks::checkTwins);
        trial.sandboxes().forEach(sandbox -> {
            checks.checkJournaled(sandbox);
            checks.checkOrphan(sandbox);
        });
        checks.checkSeen();
        trial.journals().values().forEach(checks::checkEngine);
        if (!trial.left().isEmpty()) {
            checks.violations.add(new Violation(
                    NO_ORPHANS, Optional.empty(), "Sandboxes are left at the end: " + trial.left() + "."));
        }
        return checks.violations;
    }

    /** A trial that was blind would find nothing. A few attempts end sooner than an observer looks. */
    private void checkSeen() {
        int started = Attempts.started(trial).size();
        int unseen = Attempts.unseen(trial).size();
        if (trial.sandboxes().isEmpty() || unseen * UNSEEN_ONE_IN > started) {
            violations.add(new Violation(
                    SANDBOXES_ARE_SEEN,
                    Optional.empty(),
                    "Of " + started + " attempts that ran, " + unseen + " were not seen from outside of the nodes."));
        }
        trial.sandboxes().stream()
                .filter(sandbox -> sandbox.driver() != trial.driver())
                .forEach(sandbox -> found(
                        SANDBOXES_ARE_SEEN,
                        sandbox.run(),
                        "The sandbox of attempt " + sandbox.attempt() + " on " + sandbox.node() + " is of the driver "
                                + sandbox.driver().word() + ", and the nodes have "
                                + trial.driver().word() + "."));
    }

    /** With the driver docker, an attempt ends with the engine, which has its channel. */
    private void checkEngine(Journal journal) {
        if (trial.driver() != Driver.OCI) {
            return;
        }
        for (Journal.Entry entry : journal.entries()) {
            if (entry.event() instanceof RunEvent.AttemptInterrupted interrupted
                    && interrupted.cause() == Interruption.ENGINE_LOST
                    && isOfTheEngineAlone(interrupted)) {
                found(
                        LIVE_SANDBOXES_NEED_NO_ENGINE,
                        journal.run(),
                        "Attempt " + interrupted.attempt() + " on " + interrupted.node()
                                + " was interrupted while only the engine was down (" + interrupted.detail() + ").");
            }
        }
    }

    private boolean isOfTheEngineAlone(RunEvent.AttemptInterrupted interrupted) {
        Instant at = interrupted.at();
        Duration late = trial.bounds().lease().plus(trial.bounds().orphan());
        boolean engine = trial.outages().stream()
                .anyMatch(outage -> outage.kind() == Fault.Kind.ENGINE
                        && !at.isBefore(outage.from())
                        && !at.isAfter(outage.until()));
        boolean store = trial.outages().stream()
                .anyMatch(outage -> outage.kind() == Fault.Kind.STORE
                        && !at.isBefore(outage.from())
                        && !at.isAfter(outage.until().plus(late)));
        boolean node = trial.losses().stream()
                .anyMatch(loss -> !at.isBefore(loss.from())
                        && loss.until()
                                .map(until -> !at.isAfter(until.plus(late)))
                                .orElse(true));
        return engine && !store && !node;
    }

    private void checkTwins(String run, List<SandboxLife> sandboxes) {
        List<SandboxLife> ordered = sandboxes.stream()
                .sorted(Comparator.comparing(SandboxLife::started))
                .toList();
        for (int first = 0; first < ordered.size(); first++) {
            for (int second = first + 1; second < ordered.size(); second++) {
                SandboxLife one = ordered.get(first);
                SandboxLife other = ordered.get(second);
                if (one.overlaps(other)) {
                    found(
                            ONE_LIVE_SANDBOX,
                            run,
                            "The sandbox of attempt " + other.attempt() + " on " + other.node() + " began at "
                                    + other.started() + ", while that of attempt " + one.attempt() + " on " + one.node()
                                    + " lived"
                                    + one.ended().map(end -> " until " + end).orElse("") + ".");
                }
            }
        }
    }

    private void checkJournaled(SandboxLife sandbox) {
        List<RunEvent> events = events(sandbox.run());
        boolean begun = events.stream()
                .anyMatch(event -> event instanceof RunEvent.AttemptStarting starting
                        && starting.attempt() == sandbox.attempt()
                        && starting.node().equals(sandbox.node())
                        && !starting.at().isAfter(sandbox.started()));
        if (!begun) {
            found(
                    SANDBOXES_ARE_JOURNALED,
                    sandbox.run(),
                    "There was a sandbox for attempt " + sandbox.attempt() + " on " + sandbox.node() + " at "
                            + sandbox.started() + " but the journal has none.");
        }
    }

    private void checkOrphan(SandboxLife sandbox) {
        Owner.ends(trial, sandbox).forEach(end -> {
            boolean late = sandbox.ended().isEmpty() || sandbox.ended().get().isAfter(end.deadline());
            if (late) {
                found(
                        NO_ORPHANS,
                        sandbox.run(),
                        "The sandbox of attempt " + sandbox.attempt() + " on " + sandbox.node()
                                + sandbox.ended()
                                        .map(at -> " lived on for "
                                                + Duration.between(end.at(), at).toMillis() + " ms")
                                        .orElse(" lives on")
                                + " after " + end.what() + " at " + end.at() + ".");
            }
        });
    }

    /** The end of something that a sandbox depends on. */
    record Owner(Instant at, Instant deadline, String what) {
        /** Every such end during the sandbox's life, or before its due end. */
        static List<Owner> ends(Trial trial, SandboxLife sandbox) {
            List<Owner> ends = new ArrayList<>();
            for (NodeLoss loss : trial.losses()) {
                Instant deadline = loss.deadline(trial.bounds());
                // A sandbox still being created when its node died is orphaned from its start.
                Instant within = sandbox.started().isAfter(loss.from())
                        ? deadline.plus(Duration.between(loss.from(), sandbox.started()))
                        : deadline;
                boolean applies = loss.node().equals(sandbox.node())
                        && loss.until().map(sandbox.started()::isBefore).orElse(true)
                        && (loss.cause() == NodeLoss.Cause.GONE
                                || loss.until().map(within::isBefore).orElse(true));
                if (applies) {
                    ends.add(new Owner(
                            loss.from(),
                            within,
                            loss.cause() == NodeLoss.Cause.GONE ? "its node was gone" : "its node was out of touch"));
                }
            }
            endInJournal(trial, sandbox).ifPresent(ends::add);
            return ends;
        }

        /**
         * A recorded end of an attempt means that its sandbox is gone, except when its node was lost: then its lease
         * may still run.
         */
        private static Optional<Owner> endInJournal(Trial trial, SandboxLife sandbox) {
            Journal journal = trial.journals().get(sandbox.run());
            return journal == null
                    ? Optional.empty()
                    : journal.entries().stream()
                            .map(Journal.Entry::event)
                            .filter(event -> endsAttempt(event, sandbox.attempt()))
                            .findFirst()
                            .map(event -> {
                                Duration lease = event.node().equals(sandbox.node())
                                        ? Duration.ZERO
                                        : trial.bounds().lease();
                                return new Owner(
                                        event.at(),
                                        event.at()
                                                .plus(lease)
                                                .plus(trial.bounds().orphan()),
                                        event.getClass().getSimpleName());
                            });
        }

        private static boolean endsAttempt(RunEvent event, int attempt) {
            return (event instanceof RunEvent.AttemptInterrupted interrupted && interrupted.attempt() == attempt)
                    || (event instanceof RunEvent.Terminal terminal && terminal.attempt() == attempt);
        }
    }

    private List<RunEvent> events(String run) {
        Journal journal = trial.journals().get(run);
        return journal == null
                ? List.of()
                : journal.entries().stream().map(Journal.Entry::event).toList();
    }

    private void found(Invariant invariant, String run, String what) {
        violations.add(Violation.of(invariant, run, what));
    }
}
