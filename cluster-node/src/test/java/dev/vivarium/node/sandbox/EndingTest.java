package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.sandbox.Ending.Artifacts;
import dev.vivarium.node.sandbox.Ending.Event;
import dev.vivarium.node.sandbox.Ending.Next;
import dev.vivarium.node.sandbox.Ending.Occupancy;
import dev.vivarium.node.sandbox.Ending.Output;
import dev.vivarium.node.sandbox.Ending.Phase;
import dev.vivarium.node.sandbox.Ending.Signal;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.StartFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EndingTest {
    /**
     * The complete transition table: the steps that an event causes in a phase, with its condition if it has one. Every
     * combination that is not listed causes no step.
     */
    private static final String TRANSITIONS =
            """
            NOT_BEGUN           | AgentEnded        |                | LOOKING_BACK        | NOTE_END LOOK
            NOT_BEGUN           | KillDecided       |                | KILLING             | KillAll
            NOT_BEGUN           | GivenUp           |                | DESTROYING          | NOTE_END DESTROY
            NOT_BEGUN           | NeverMade         | SETTLED        | REPORTED            | RELEASE REPORT
            NOT_BEGUN           | NeverMade         | OUTSTANDING    | GONE                | RELEASE
            LOOKING_BACK        | LOOKED_EMPTY      |                | KILLING_THE_REST    | KILL_THE_REST
            LOOKING_BACK        | LOOKED_OCCUPIED   |                | KILLING_THE_REST    | KILL_THE_REST
            LOOKING_BACK        | LOOK_FAILED       |                | KILLING_THE_REST    | KILL_THE_REST
            LOOKING_BACK        | OVERDUE           |                | KILLING_THE_REST    | KILL_THE_REST
            LOOKING_BACK        | CHANNEL_CLOSED    |                | DESTROYING          | NOTE_END DESTROY
            KILLING_THE_REST    | LOOKED_EMPTY      |                | KILLING_THE_REST    |
            KILLING_THE_REST    | ALL_GONE          | WANTED         | COLLECTING          | COLLECT
            KILLING_THE_REST    | ALL_GONE          | NOT_SEEN_EMPTY | DESTROYING          | NOTE_END DESTROY
            KILLING_THE_REST    | ALL_GONE          | SEEN_EMPTY     | AWAITING_REMOVAL    | AWAIT_REMOVAL
            KILLING_THE_REST    | OVERDUE           |                | DESTROYING          | NOTE_END DESTROY
            KILLING_THE_REST    | CHANNEL_CLOSED    |                | DESTROYING          | NOTE_END DESTROY
            KILLING             | ALL_GONE          |                | LOOKING_AT_THE_END  | NOTE_END LOOK
            KILLING             | OVERDUE           |                | DESTROYING          | NOTE_END DESTROY
            KILLING             | CHANNEL_CLOSED    |                | DESTROYING          | NOTE_END DESTROY
            LOOKING_AT_THE_END  | LOOKED_EMPTY      | WANTED         | COLLECTING          | COLLECT
            LOOKING_AT_THE_END  | LOOKED_OCCUPIED   | WANTED         | COLLECTING          | COLLECT
            LOOKING_AT_THE_END  | LOOK_FAILED       | WANTED         | COLLECTING          | COLLECT
            LOOKING_AT_THE_END  | OVERDUE           | WANTED         | COLLECTING          | COLLECT
            LOOKING_AT_THE_END  | LOOKED_EMPTY      | UNWANTED       | AWAITING_REMOVAL    | AWAIT_REMOVAL
            LOOKING_AT_THE_END  | LOOKED_OCCUPIED   | UNWANTED       | DESTROYING          | NOTE_END DESTROY
            LOOKING_AT_THE_END  | LOOK_FAILED       | UNWANTED       | DESTROYING          | NOTE_END DESTROY
            LOOKING_AT_THE_END  | OVERDUE           | UNWANTED       | DESTROYING          | NOTE_END DESTROY
            LOOKING_AT_THE_END  | CHANNEL_CLOSED    |                | DESTROYING          | NOTE_END DESTROY
            COLLECTING          | LOOKED_EMPTY      |                | COLLECTING          |
            COLLECTING          | COLLECTED         | NOT_SEEN_EMPTY | DESTROYING          | NOTE_END DESTROY
            COLLECTING          | COLLECTED         | SEEN_EMPTY     | AWAITING_REMOVAL    | AWAIT_REMOVAL
            COLLECTING          | OVERDUE           |                | DESTROYING          | NOTE_END DESTROY
            COLLECTING          | CHANNEL_CLOSED    |                | DESTROYING          | NOTE_END DESTROY
            AWAITING_REMOVAL    | REMOVAL_TURN      |                | DESTROYING          | NOTE_END DESTROY
            AWAITING_REMOVAL    | OVERDUE           |                | DESTROYING          | NOTE_END DESTROY
            AWAITING_REMOVAL    | CHANNEL_CLOSED    |                | DESTROYING          | NOTE_END DESTROY
            DESTROYING          | DESTROYED         | SETTLED        | REPORTED            | RELEASE REPORT
            DESTROYING          | DESTROYED         | OUTSTANDING    | GONE                | RELEASE
            DESTROYING          | DESTROY_FAILED    |                | DESTROYING          | RETRY_DESTROY_LATER
            DESTROYING          | DESTROY_RETRY_DUE |                | DESTROYING          | DESTROY_AGAIN
            DESTROYING          | OVERDUE           | SETTLED        | REPORTED            | LEAVE_TO_REAPER RELEASE REPORT
            DESTROYING          | OVERDUE           | OUTSTANDING    | GONE                | LEAVE_TO_REAPER RELEASE
            GONE                | OUTPUT_SETTLED    |                | REPORTED            | REPORT
            """;

    private static final Outcome.Killed CANCELLED = new Outcome.Killed(KillReason.CANCELLED, Optional.empty());
    private static final Outcome FIRST = new Outcome.Exited(0);
    private static final List<Event> EVENTS = Stream.concat(
                    Stream.of(
                            new Ending.AgentEnded(new Outcome.Exited(3)),
                            new Ending.KillDecided(CANCELLED, Duration.ofMillis(100)),
                            new Ending.GivenUp(new Outcome.Interrupted(Interruption.ENGINE_LOST, "away")),
                            new Ending.NeverMade(new Outcome.NotStarted(
                                    new StartFailure(StartFailure.Kind.IMAGE_UNAVAILABLE, "There is none.")))),
                    Stream.of(Signal.values()))
            .toList();

    private record Case(Phase phase, String event, String condition) {}

    private record Consequence(Phase phase, List<String> steps) {}

    @Test
    void theTableHoldsForEveryCombinationOfStateEventAndCondition() {
        Map<Case, Consequence> transitions = transitions();
        Set<Case> used = new HashSet<>();
        for (Ending before : states()) {
            for (Event event : EVENTS) {
                for (Output output : Output.values()) {
                    Optional<Case> matching = Stream.of(
                                    "",
                                    before.artifacts().name(),
                                    before.occupancy().name(),
                                    output.name())
                            .map(condition -> new Case(before.phase(), name(event), condition))
                            .filter(transitions::containsKey)
                            .findFirst();
                    matching.ifPresent(used::add);

                    Next next = before.on(event, output);

                    assertThat(new Consequence(
                                    next.state().phase(),
                                    next.steps().stream().map(EndingTest::name).toList()))
                            .as("%s in %s with output %s", name(event), before, output)
                            .isEqualTo(
                                    matching.map(transitions::get).orElse(new Consequence(before.phase(), List.of())));
                }
            }
        }
        assertThat(used).as("every line of the table is used").isEqualTo(transitions.keySet());
    }

    @Test
    void theFirstEndIsTheOutcomeOfTheAttempt() {
        for (Ending before : states()) {
            for (Event event : EVENTS) {
                Ending after = before.on(event, Output.SETTLED).state();
                if (before.hasBegun()) {
                    assertThat(after.how()).as("%s in %s", event, before).isEqualTo(before.how());
                } else {
                    assertThat(after.how()).isEqualTo(outcome(event));
                }
            }
        }
    }

    @Test
    void onlyASampleShowsThatASandboxIsEmptyAndTheGuestsReportDoesNot() {
        for (Ending before : states()) {
            for (Event event : EVENTS) {
                Occupancy after = before.on(event, Output.SETTLED).state().occupancy();
                if (event != Signal.LOOKED_EMPTY && before.occupancy() == Occupancy.NOT_SEEN_EMPTY) {
                    assertThat(after).as("%s in %s", event, before).isEqualTo(Occupancy.NOT_SEEN_EMPTY);
                }
            }
        }
    }

    @Test
    void aKillUsesTheGraceThatWasDecided() {
        Next next = Ending.notBegun(Artifacts.UNWANTED)
                .on(new Ending.KillDecided(CANCELLED, Duration.ofMillis(100)), Output.SETTLED);

        assertThat(next.steps()).isEqualTo(List.of(new Ending.KillAll(Duration.ofMillis(100))));
    }

    /** With or without further events, every ending completes after its timeouts. */
    @Test
    void anEndingWithoutFurtherEventsIsReported() {
        for (Ending before : states()) {
            if (!before.hasBegun()) {
                continue;
            }
            Ending ending = before;
            for (int wait = 0; wait < Phase.values().length; wait++) {
                ending = ending.on(Signal.OVERDUE, Output.OUTSTANDING).state();
            }
            ending = ending.on(Signal.OUTPUT_SETTLED, Output.SETTLED).state();
            assertThat(ending.phase()).as("from %s", before).isEqualTo(Phase.REPORTED);
        }
    }

    @Test
    void afterAnExitASampleIsTakenBeforeTheRemainingProcessesAreKilled() {
        assertThat(stepsOf(
                        new Ending.AgentEnded(FIRST),
                        Signal.LOOKED_EMPTY,
                        Signal.ALL_GONE,
                        Signal.REMOVAL_TURN,
                        Signal.DESTROYED))
                .containsExactly(
                        "NOTE_END",
                        "LOOK",
                        "KILL_THE_REST",
                        "AWAIT_REMOVAL",
                        "NOTE_END",
                        "DESTROY",
                        "RELEASE",
                        "REPORT");
    }

    @Test
    void aKilledAgentIsSampledAfterTheKill() {
        assertThat(stepsOf(
                        new Ending.KillDecided(CANCELLED, Duration.ZERO),
                        Signal.ALL_GONE,
                        Signal.LOOKED_OCCUPIED,
                        Signal.DESTROYED))
                .containsExactly("KillAll", "NOTE_END", "LOOK", "NOTE_END", "DESTROY", "RELEASE", "REPORT");
    }

    @Test
    void filesAreKeptOnceAfterTheLastProcessHoweverTheRunEnds() {
        assertThat(stepsOf(
                        Ending.notBegun(Artifacts.WANTED),
                        new Ending.KillDecided(CANCELLED, Duration.ZERO),
                        Signal.ALL_GONE,
                        Signal.LOOKED_EMPTY,
                        Signal.COLLECTED,
                        Signal.REMOVAL_TURN))
                .containsExactly("KillAll", "NOTE_END", "LOOK", "COLLECT", "AWAIT_REMOVAL", "NOTE_END", "DESTROY");
        assertThat(stepsOf(
                        Ending.notBegun(Artifacts.WANTED),
                        new Ending.AgentEnded(FIRST),
                        Signal.LOOKED_EMPTY,
                        Signal.ALL_GONE,
                        Signal.OVERDUE,
                        Signal.COLLECTED))
                .containsExactly("NOTE_END", "LOOK", "KILL_THE_REST", "COLLECT", "NOTE_END", "DESTROY");
    }

    @Test
    void noFilesAreKeptOfAnAttemptThatIsHandedOver() {
        Outcome.Killed drained = new Outcome.Killed(KillReason.DRAINED, Optional.empty());

        assertThat(stepsOf(
                        Ending.notBegun(Artifacts.WANTED),
                        new Ending.KillDecided(drained, Duration.ZERO),
                        Signal.ALL_GONE,
                        Signal.LOOKED_EMPTY))
                .containsExactly("KillAll", "NOTE_END", "LOOK", "AWAIT_REMOVAL");
    }

    private static List<String> stepsOf(Event... events) {
        return stepsOf(Ending.notBegun(Artifacts.UNWANTED), events);
    }

    private static List<String> stepsOf(Ending begin, Event... events) {
        List<String> steps = new ArrayList<>();
        Ending ending = begin;
        for (Event event : events) {
            Next next = ending.on(event, Output.SETTLED);
            next.steps().forEach(step -> steps.add(name(step)));
            ending = next.state();
        }
        return steps;
    }

    private static List<Ending> states() {
        List<Ending> states = new ArrayList<>();
        for (Phase phase : Phase.values()) {
            Optional<Outcome> how = phase == Phase.NOT_BEGUN ? Optional.empty() : Optional.of(FIRST);
            for (Occupancy occupancy : Occupancy.values()) {
                for (Artifacts artifacts : Artifacts.values()) {
                    states.add(new Ending(phase, how, occupancy, artifacts));
                }
            }
        }
        return states;
    }

    private static Optional<Outcome> outcome(Event event) {
        if (event instanceof Ending.AgentEnded ended) {
            return Optional.of(ended.how());
        } else if (event instanceof Ending.KillDecided kill) {
            return Optional.of(kill.how());
        } else if (event instanceof Ending.GivenUp given) {
            return Optional.of(given.how());
        }
        return event instanceof Ending.NeverMade never ? Optional.of(never.how()) : Optional.empty();
    }

    private static Map<Case, Consequence> transitions() {
        return TRANSITIONS
                .lines()
                .map(line ->
                        Arrays.stream(line.split("\\|", -1)).map(String::strip).toList())
                .collect(Collectors.toMap(
                        cells -> new Case(Phase.valueOf(cells.get(0)), cells.get(1), cells.get(2)),
                        cells -> new Consequence(
                                Phase.valueOf(cells.get(3)),
                                cells.get(4).isEmpty()
                                        ? List.of()
                                        : List.of(cells.get(4).split(" ")))));
    }

    private static String name(Object eventOrStep) {
        return eventOrStep instanceof Enum<?> constant
                ? constant.name()
                : eventOrStep.getClass().getSimpleName();
    }
}
