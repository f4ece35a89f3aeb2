package dev.vivarium.node.sandbox;

import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.run.KillReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How a sandbox ends, as a pure Mealy machine: {@link #on} takes every event in every phase and gives the next state and
 * the steps to carry out, in order. It has no effects itself; {@link Departure} carries the steps out.
 *
 * <pre>
 *             agent ended               looked                  all gone
 * NOT_BEGUN --+---------> LOOKING_BACK -------> KILLING_THE_REST --------+-> (COLLECTING) -> AWAITING_REMOVAL --+
 *             |   kill                all gone                  looked   |               |                      | its turn
 *             +---------> KILLING -----------> LOOKING_AT_THE_END -------+               | not seen empty       |
 *             |                                                                          +-----> DESTROYING <---+
 *             | given up                                                                             |
 *             +----------------------------------------------------------------> DESTROYING --> GONE --> REPORTED
 *             | never made
 *             +-----------------------------------------------------------------------------> GONE
 * </pre>
 *
 * Each phase waits for one answer, for a limited time: {@link Signal#OVERDUE} continues without it. The end of the
 * channel leads to DESTROYING from every earlier phase. Whatever ends an attempt first is its outcome; no later event
 * overwrites it.
 *
 * @param phase what the ending waits for
 * @param how the outcome; empty only before the end has begun
 * @param occupancy whether the sandbox was seen from outside to be empty
 * @param artifacts whether files of the workspace are to be kept
 */
record Ending(Phase phase, Optional<Outcome> how, Occupancy occupancy, Artifacts artifacts) {
    /** The phases, by what they wait for. */
    enum Phase {
        /** Nothing has ended yet. */
        NOT_BEGUN,
        /** The agent ended by itself: one look shows whether a limit was the cause. */
        LOOKING_BACK,
        /** Processes that the ended agent left behind are being killed. */
        KILLING_THE_REST,
        /** All processes are being killed. */
        KILLING,
        /** No process is left; one look shows what had been used until the end. */
        LOOKING_AT_THE_END,
        /** No process is left; the files that the run keeps are being read. */
        COLLECTING,
        /** The sandbox was seen to be empty, so its removal can wait for its turn. */
        AWAITING_REMOVAL,
        /** The driver was asked to destroy the sandbox. */
        DESTROYING,
        /** The sandbox is gone, or left to the reaper; output may still be on its way to the store. */
        GONE,
        /** The run has been informed; nothing more happens. */
        REPORTED
    }

    /** Whether the last look from outside showed an empty sandbox. */
    enum Occupancy {
        NOT_SEEN_EMPTY,
        SEEN_EMPTY
    }

    /** Whether files of the workspace are to be kept. */
    enum Artifacts {
        UNWANTED,
        WANTED
    }

    /** Whether all that is to outlast the sandbox, output and artifacts, has been stored. */
    enum Output {
        SETTLED,
        OUTSTANDING
    }

    /** What can happen during an ending. */
    sealed interface Event {}

    /** The agent ended by itself. */
    record AgentEnded(Outcome how) implements Event {}

    /** The attempt is to be killed: SIGTERM, the grace, SIGKILL. */
    record KillDecided(Outcome.Killed how, Duration grace) implements Event {}

    /** No agent runs yet, or the guest cannot be reached: there is nothing to measure and nothing to end gracefully. */
    record GivenUp(Outcome how) implements Event {}

    /** The driver created no sandbox, so there is none to destroy. */
    record NeverMade(Outcome how) implements Event {}

    /** Events without parameters. */
    enum Signal implements Event {
        /** The look showed that only the guest is left. */
        LOOKED_EMPTY,
        /** The look showed that something may be left, or could not show anything. */
        LOOKED_OCCUPIED,
        LOOK_FAILED,
        /** The guest reports that no process is left. */
        ALL_GONE,
        CHANNEL_CLOSED,
        /** The removal's turn has come. */
        REMOVAL_TURN,
        /** All files that can be kept are. */
        COLLECTED,
        DESTROYED,
        DESTROY_FAILED,
        DESTROY_RETRY_DUE,
        /** The phase's answer did not come in time. */
        OVERDUE,
        OUTPUT_SETTLED
    }

    /** What the actor has to do. */
    sealed interface Step {}

    /** Kill everything, with this grace; then wait that long and for the guest's confirmation. */
    record KillAll(Duration grace) implements Step {}

    /** Steps without parameters. */
    enum Action implements Step {
        /** The attempt's time ends here, unless it has ended before. */
        NOTE_END,
        /** Measure the sandbox one last time. */
        LOOK,
        /** Kill what an ended agent has left behind, without a grace. */
        KILL_THE_REST,
        /** Keep the files that the run asked for. */
        COLLECT,
        AWAIT_REMOVAL,
        /** Close the channel and ask the driver to destroy the sandbox. */
        DESTROY,
        RETRY_DESTROY_LATER,
        DESTROY_AGAIN,
        LEAVE_TO_REAPER,
        /** Give up this node's ownership of the sandbox. */
        RELEASE,
        REPORT
    }

    /** The next state, and the steps to carry out. */
    record Next(Ending state, List<Step> steps) {}

    /** Before anything has ended. */
    static Ending notBegun(Artifacts artifacts) {
        return new Ending(Phase.NOT_BEGUN, Optional.empty(), Occupancy.NOT_SEEN_EMPTY, artifacts);
    }

    /** Whether the attempt is ending. */
    boolean hasBegun() {
        return phase != Phase.NOT_BEGUN;
    }

    /** Whether there may still be a sandbox to measure. */
    boolean isSandboxHere() {
        return phase.compareTo(Phase.DESTROYING) < 0;
    }

    /** Whether this node no longer owns a sandbox. */
    boolean isSandboxGone() {
        return phase.compareTo(Phase.GONE) >= 0;
    }

    /** The transition function. Total: an event without meaning in the current phase changes nothing. */
    Next on(Event event, Output output) {
        if (event == Signal.CHANNEL_CLOSED && hasBegun() && isSandboxHere()) {
            return destroy();
        }
        return switch (phase) {
            case NOT_BEGUN -> begin(event, output);
            case LOOKING_BACK, LOOKING_AT_THE_END -> isLookOver(event) ? afterLook(event) : same();
            case KILLING_THE_REST -> whileKillingTheRest(event);
            case KILLING -> whileKilling(event);
            case COLLECTING -> whileCollecting(event);
            case AWAITING_REMOVAL -> event == Signal.REMOVAL_TURN || event == Signal.OVERDUE ? destroy() : same();
            case DESTROYING -> whileDestroying(event, output);
            case GONE -> event == Signal.OUTPUT_SETTLED ? to(Phase.REPORTED, Action.REPORT) : same();
            case REPORTED -> same();
        };
    }

    private Next begin(Event event, Output output) {
        if (event instanceof AgentEnded ended) {
            return because(ended.how).to(Phase.LOOKING_BACK, Action.NOTE_END, Action.LOOK);
        } else if (event instanceof KillDecided kill) {
            return because(kill.how).to(Phase.KILLING, new KillAll(kill.grace));
        } else if (event instanceof GivenUp given) {
            return because(given.how).destroy();
        } else if (event instanceof NeverMade never) {
            return because(never.how).gone(output);
        }
        return same();
    }

    private static boolean isLookOver(Event event) {
        return event == Signal.LOOKED_EMPTY
                || event == Signal.LOOKED_OCCUPIED
                || event == Signal.LOOK_FAILED
                || event == Signal.OVERDUE;
    }

    private Next afterLook(Event event) {
        Ending seen = seen(event == Signal.LOOKED_EMPTY ? Occupancy.SEEN_EMPTY : Occupancy.NOT_SEEN_EMPTY);
        return phase == Phase.LOOKING_BACK ? seen.to(Phase.KILLING_THE_REST, Action.KILL_THE_REST) : seen.collect();
    }

    private Next whileKillingTheRest(Event event) {
        if (event == Signal.LOOKED_EMPTY) {
            // The look was overdue, and arrived after all.
            return new Next(seen(Occupancy.SEEN_EMPTY), List.of());
        } else if (event == Signal.ALL_GONE) {
            return collect();
        }
        return event == Signal.OVERDUE ? destroy() : same();
    }

    private Next whileKilling(Event event) {
        if (event == Signal.ALL_GONE) {
            return to(Phase.LOOKING_AT_THE_END, Action.NOTE_END, Action.LOOK);
        }
        return event == Signal.OVERDUE ? destroy() : same();
    }

    private Next whileCollecting(Event event) {
        if (event == Signal.LOOKED_EMPTY) {
            // The look was overdue, and has come after all.
            return new Next(seen(Occupancy.SEEN_EMPTY), List.of());
        } else if (event == Signal.COLLECTED) {
            return removeInTurn();
        }
        return event == Signal.OVERDUE ? destroy() : same();
    }

    /** Nothing of the agent runs any more. */
    private Next collect() {
        return artifacts == Artifacts.WANTED && !isHandedOver() ? to(Phase.COLLECTING, Action.COLLECT) : removeInTurn();
    }

    /** Whether the run goes on elsewhere, as its policy allows. */
    private boolean isHandedOver() {
        return how.filter(Outcome.Killed.class::isInstance)
                .map(killed -> ((Outcome.Killed) killed).reason() == KillReason.DRAINED)
                .orElse(false);
    }

    private Next whileDestroying(Event event, Output output) {
        if (event == Signal.DESTROYED) {
            return gone(output);
        } else if (event == Signal.DESTROY_FAILED) {
            return new Next(this, List.of(Action.RETRY_DESTROY_LATER));
        } else if (event == Signal.DESTROY_RETRY_DUE) {
            return new Next(this, List.of(Action.DESTROY_AGAIN));
        } else if (event == Signal.OVERDUE) {
            // The engine stays away: the reaper destroys the sandbox when it is back.
            return gone(output, Action.LEAVE_TO_REAPER);
        }
        return same();
    }

    /** Nothing runs in the sandbox any more. If that was also seen from outside, its removal can wait for its turn. */
    private Next removeInTurn() {
        return occupancy == Occupancy.SEEN_EMPTY ? to(Phase.AWAITING_REMOVAL, Action.AWAIT_REMOVAL) : destroy();
    }

    private Next destroy() {
        return to(Phase.DESTROYING, Action.NOTE_END, Action.DESTROY);
    }

    private Next gone(Output output, Action... before) {
        List<Step> steps = new ArrayList<>(List.of(before));
        steps.add(Action.RELEASE);
        if (output == Output.SETTLED) {
            steps.add(Action.REPORT);
        }
        return new Next(in(output == Output.SETTLED ? Phase.REPORTED : Phase.GONE), List.copyOf(steps));
    }

    private Next to(Phase next, Step... steps) {
        return new Next(in(next), Stream.of(steps).toList());
    }

    private Next same() {
        return new Next(this, List.of());
    }

    private Ending in(Phase next) {
        return new Ending(next, how, occupancy, artifacts);
    }

    private Ending because(Outcome outcome) {
        return new Ending(phase, Optional.of(outcome), occupancy, artifacts);
    }

    private Ending seen(Occupancy seen) {
        return new Ending(phase, how, seen, artifacts);
    }
}
