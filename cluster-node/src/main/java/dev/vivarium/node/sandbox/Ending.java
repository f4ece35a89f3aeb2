package dev.vivarium.node.sandbox;

import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How a sandbox ends, as a pure Mealy machine: {@link #on} takes every event in every phase and gives the next state and
 * the steps to carry out, in order. It starts nothing and asks nobody; the Sandbox actor carries the steps out.
 *
 * <pre>
 *             agent ended               looked                  all gone
 * NOT_BEGUN --+---------> LOOKING_BACK -------> KILLING_THE_REST --------+-> AWAITING_REMOVAL --+
 *             |   kill                all gone                  looked   |                      | its turn
 *             +---------> KILLING -----------> LOOKING_AT_THE_END -------+                      |
 *             |                                                          | not seen empty       |
 *             | given up                                                 +-----> DESTROYING <---+
 *             +----------------------------------------------------------------> DESTROYING --> GONE --> REPORTED
 *             | never made
 *             +-----------------------------------------------------------------------------> GONE
 * </pre>
 *
 * Each phase waits for one answer, and for so long only: {@link Signal#OVERDUE} goes on without it. The end of the channel
 * leads to DESTROYING from every phase before it. What ends an attempt first is its outcome: no later event overwrites it.
 *
 * @param phase what is waited for
 * @param how the outcome; empty only before the end has begun
 * @param occupancy whether the sandbox was seen from outside to have nothing left in it
 */
record Ending(Phase phase, Optional<Outcome> how, Occupancy occupancy) {
    /** What an ending waits for. */
    enum Phase {
        /** Nothing has ended yet. */
        NOT_BEGUN,
        /** The agent ended by itself: one look tells whether a limit was what ended it. */
        LOOKING_BACK,
        /** What the ended agent left behind is being killed. */
        KILLING_THE_REST,
        /** All processes are being killed. */
        KILLING,
        /** Nothing is left to kill; one look tells what it had used until its last moment. */
        LOOKING_AT_THE_END,
        /** The sandbox was seen empty, so that its removal can wait for its turn. */
        AWAITING_REMOVAL,
        /** The driver was asked to destroy the sandbox. */
        DESTROYING,
        /** The sandbox is gone, or left to the reaper; output may still be on its way to the store. */
        GONE,
        /** The run knows; nothing more happens. */
        REPORTED
    }

    /** What the look from outside has shown. */
    enum Occupancy {
        NOT_SEEN_EMPTY,
        SEEN_EMPTY
    }

    /** Whether all output that has come is kept. */
    enum Output {
        SETTLED,
        OUTSTANDING
    }

    /** What happens to an ending. */
    sealed interface Event {}

    /** The agent ended by itself. */
    record AgentEnded(Outcome how) implements Event {}

    /** The attempt is to be killed: SIGTERM, the grace, SIGKILL. */
    record KillDecided(Outcome.Killed how, Duration grace) implements Event {}

    /** No agent runs yet, or the guest cannot be talked to any more: there is nothing to look at or to kill politely. */
    record GivenUp(Outcome how) implements Event {}

    /** The driver has made no sandbox, so there is none to destroy. */
    record NeverMade(Outcome how) implements Event {}

    /** The events that carry nothing. */
    enum Signal implements Event {
        /** The look has shown that nothing but the guest is left. */
        LOOKED_EMPTY,
        /** The look has shown that something may be left, or cannot show it. */
        LOOKED_OCCUPIED,
        LOOK_FAILED,
        /** The guest says that no process is left. */
        ALL_GONE,
        CHANNEL_CLOSED,
        /** The removal's turn has come. */
        REMOVAL_TURN,
        DESTROYED,
        DESTROY_FAILED,
        DESTROY_RETRY_DUE,
        /** What the phase waits for has not come in time. */
        OVERDUE,
        OUTPUT_SETTLED
    }

    /** What the actor is to do. */
    sealed interface Step {}

    /** Kill everything, with this grace; then wait that long and for the guest's confirmation. */
    record KillAll(Duration grace) implements Step {}

    /** The steps that need no more words. */
    enum Action implements Step {
        /** The time that the attempt used ends here, if it has not ended before. */
        NOTE_END,
        /** Measure the sandbox one last time. */
        LOOK,
        /** Kill what an ended agent has left behind, without a grace. */
        KILL_THE_REST,
        AWAIT_REMOVAL,
        /** Close the channel and ask the driver to destroy. */
        DESTROY,
        RETRY_DESTROY_LATER,
        DESTROY_AGAIN,
        LEAVE_TO_REAPER,
        /** The sandbox is not this node's any more. */
        RELEASE,
        REPORT
    }

    /** The next state, and what is to be done. */
    record Next(Ending state, List<Step> steps) {}

    /** Before anything has ended. */
    static Ending notBegun() {
        return new Ending(Phase.NOT_BEGUN, Optional.empty(), Occupancy.NOT_SEEN_EMPTY);
    }

    /** Whether the attempt is ending. */
    boolean hasBegun() {
        return phase != Phase.NOT_BEGUN;
    }

    /** Whether the sandbox is still there to be measured. */
    boolean isSandboxHere() {
        return phase.compareTo(Phase.DESTROYING) < 0;
    }

    /** Whether nobody here owns a sandbox any more. */
    boolean isSandboxGone() {
        return phase.compareTo(Phase.GONE) >= 0;
    }

    /** What follows. Total: an event that means nothing in the phase changes nothing. */
    Next on(Event event, Output output) {
        if (event == Signal.CHANNEL_CLOSED && hasBegun() && isSandboxHere()) {
            return destroy();
        }
        return switch (phase) {
            case NOT_BEGUN -> begin(event, output);
            case LOOKING_BACK, LOOKING_AT_THE_END -> isLookOver(event) ? afterLook(event) : same();
            case KILLING_THE_REST -> whileKillingTheRest(event);
            case KILLING -> whileKilling(event);
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
        return phase == Phase.LOOKING_BACK
                ? seen.to(Phase.KILLING_THE_REST, Action.KILL_THE_REST)
                : seen.removeInTurn();
    }

    private Next whileKillingTheRest(Event event) {
        if (event == Signal.LOOKED_EMPTY) {
            // The look was overdue, and has come after all.
            return new Next(seen(Occupancy.SEEN_EMPTY), List.of());
        } else if (event == Signal.ALL_GONE) {
            return removeInTurn();
        }
        return event == Signal.OVERDUE ? destroy() : same();
    }

    private Next whileKilling(Event event) {
        if (event == Signal.ALL_GONE) {
            return to(Phase.LOOKING_AT_THE_END, Action.NOTE_END, Action.LOOK);
        }
        return event == Signal.OVERDUE ? destroy() : same();
    }

    private Next whileDestroying(Event event, Output output) {
        if (event == Signal.DESTROYED) {
            return gone(output);
        } else if (event == Signal.DESTROY_FAILED) {
            return new Next(this, List.of(Action.RETRY_DESTROY_LATER));
        } else if (event == Signal.DESTROY_RETRY_DUE) {
            return new Next(this, List.of(Action.DESTROY_AGAIN));
        } else if (event == Signal.OVERDUE) {
            // The engine is away for longer: the reaper compares and destroys when it is back.
            return gone(output, Action.LEAVE_TO_REAPER);
        }
        return same();
    }

    /** Nothing runs in the sandbox any more: when that was seen from outside too, its removal can wait for its turn. */
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
        return new Ending(next, how, occupancy);
    }

    private Ending because(Outcome outcome) {
        return new Ending(phase, Optional.of(outcome), occupancy);
    }

    private Ending seen(Occupancy seen) {
        return new Ending(phase, how, seen);
    }
}
