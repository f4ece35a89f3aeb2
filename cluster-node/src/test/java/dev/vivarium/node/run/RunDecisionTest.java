package dev.vivarium.node.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.run.RunDecision.Conditions;
import dev.vivarium.node.run.RunDecision.Earlier;
import dev.vivarium.node.run.RunDecision.Intake;
import dev.vivarium.node.run.RunDecision.Lease;
import dev.vivarium.node.run.RunDecision.Request;
import dev.vivarium.node.run.RunDecision.Sandbox;
import dev.vivarium.node.run.RunDecision.Slot;
import dev.vivarium.node.run.RunDecision.Step;
import dev.vivarium.node.sandbox.Specs;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunState.Submission;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RunDecisionTest {
    /** The complete decision table: the step of every state under all conditions; a star where a condition changes nothing. */
    private static final String RULES =
            """
            state                  | request | sandbox  | lease  | intake   | slot     | earlier  | step
            Unborn                 | *       | *        | *      | *        | *        | *        | Nothing
            Submitted              | PROCEED | *        | *      | DRAINING | *        | *        | HandOver
            Submitted              | PROCEED | *        | *      | OPEN     | NOT_HELD | *        | Queue
            Submitted              | PROCEED | *        | UNSURE | OPEN     | HELD     | *        | AwaitLease
            Submitted              | PROCEED | *        | FRESH  | OPEN     | HELD     | *        | Start 1
            Submitted              | CANCEL  | *        | *      | *        | *        | *        | EndCancelled 0
            Queued                 | PROCEED | *        | *      | DRAINING | *        | *        | HandOver
            Queued                 | PROCEED | *        | *      | OPEN     | NOT_HELD | *        | AwaitSlot
            Queued                 | PROCEED | *        | UNSURE | OPEN     | HELD     | *        | AwaitLease
            Queued                 | PROCEED | *        | FRESH  | OPEN     | HELD     | *        | Start 1
            Queued                 | CANCEL  | *        | *      | *        | *        | *        | EndCancelled 0
            Starting               | PROCEED | PRESENT  | *      | *        | *        | *        | Nothing
            Starting               | PROCEED | VANISHED | *      | *        | *        | *        | Interrupt 2 ENGINE_LOST
            Starting               | PROCEED | ABSENT   | UNSURE | *        | *        | *        | AwaitLease
            Starting               | PROCEED | ABSENT   | FRESH  | *        | *        | *        | Interrupt 2 NODE_LOST
            Starting               | CANCEL  | *        | *      | *        | *        | *        | Stop
            Starting cancelled     | PROCEED | PRESENT  | *      | *        | *        | *        | Nothing
            Starting cancelled     | PROCEED | VANISHED | *      | *        | *        | *        | Interrupt 2 ENGINE_LOST
            Starting cancelled     | PROCEED | ABSENT   | UNSURE | *        | *        | *        | AwaitLease
            Starting cancelled     | PROCEED | ABSENT   | FRESH  | *        | *        | *        | Interrupt 2 NODE_LOST
            Starting cancelled     | CANCEL  | *        | *      | *        | *        | *        | StopAgain
            Running                | PROCEED | PRESENT  | *      | *        | *        | *        | Nothing
            Running                | PROCEED | VANISHED | *      | *        | *        | *        | Interrupt 2 ENGINE_LOST
            Running                | PROCEED | ABSENT   | UNSURE | *        | *        | *        | AwaitLease
            Running                | PROCEED | ABSENT   | FRESH  | *        | *        | *        | Interrupt 2 NODE_LOST
            Running                | CANCEL  | *        | *      | *        | *        | *        | Stop
            Running cancelled      | PROCEED | PRESENT  | *      | *        | *        | *        | Nothing
            Running cancelled      | PROCEED | VANISHED | *      | *        | *        | *        | Interrupt 2 ENGINE_LOST
            Running cancelled      | PROCEED | ABSENT   | UNSURE | *        | *        | *        | AwaitLease
            Running cancelled      | PROCEED | ABSENT   | FRESH  | *        | *        | *        | Interrupt 2 NODE_LOST
            Running cancelled      | CANCEL  | *        | *      | *        | *        | *        | StopAgain
            Interrupted            | PROCEED | *        | UNSURE | *        | *        | *        | AwaitLease
            Interrupted            | PROCEED | *        | FRESH  | DRAINING | *        | *        | HandOver
            Interrupted            | PROCEED | *        | FRESH  | OPEN     | NOT_HELD | *        | AwaitSlot
            Interrupted            | PROCEED | *        | FRESH  | OPEN     | HELD     | MAY_LIVE | AwaitEarlier
            Interrupted            | PROCEED | *        | FRESH  | OPEN     | HELD     | GONE     | Start 3
            Interrupted            | CANCEL  | *        | *      | *        | *        | *        | EndCancelled 2
            Interrupted cancelled  | PROCEED | *        | UNSURE | *        | *        | *        | AwaitLease
            Interrupted cancelled  | PROCEED | *        | FRESH  | *        | *        | *        | EndCancelled 2
            Interrupted cancelled  | CANCEL  | *        | *      | *        | *        | *        | EndCancelled 2
            Interrupted for good   | PROCEED | *        | UNSURE | *        | *        | *        | AwaitLease
            Interrupted for good   | PROCEED | *        | FRESH  | *        | *        | *        | Lose 2 DRAINED
            Interrupted for good   | CANCEL  | *        | *      | *        | *        | *        | EndCancelled 2
            Finished               | *       | *        | *      | *        | *        | *        | Nothing
            """;

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final RunEvent.AttemptStarted STARTED =
            new RunEvent.AttemptStarted(NOW, "node-1", 2, "sandbox", Optional.empty());
    private static final Submission OPEN = submission(NodeLossPolicy.RESTART, Optional.empty());
    private static final Submission CANCELLED = submission(NodeLossPolicy.RESTART, Optional.of(NOW));
    private static final Map<String, RunState> STATES = states();

    private record Rule(List<String> cells) {
        boolean governs(Case of) {
            return cells.get(0).equals(of.state)
                    && Stream.of(1, 2, 3, 4, 5, 6)
                            .allMatch(n -> cells.get(n).equals("*")
                                    || cells.get(n).equals(of.names().get(n - 1)));
        }

        String step() {
            return cells.get(7);
        }
    }

    private record Case(String state, Conditions conditions) {
        List<String> names() {
            return Stream.of(
                            conditions.request(),
                            conditions.sandbox(),
                            conditions.lease(),
                            conditions.intake(),
                            conditions.slot(),
                            conditions.earlier())
                    .map(Enum::name)
                    .toList();
        }
    }

    @Test
    void exactlyOneRuleDecidesEachStateUnderAllConditions() {
        List<Rule> rules = rules();

        assertThat(cases()).hasSize(STATES.size() * 2 * 3 * 2 * 2 * 2 * 2).allSatisfy(one -> {
            List<String> steps = rules.stream()
                    .filter(rule -> rule.governs(one))
                    .map(Rule::step)
                    .toList();
            assertThat(steps).containsExactly(named(RunDecision.next(STATES.get(one.state), one.conditions)));
        });
    }

    @Test
    void everyEventOfAStepIsLegalInItsState() {
        assertThat(cases()).allSatisfy(one -> {
            RunState state = STATES.get(one.state);
            for (RunEvent event : RunDecision.next(state, one.conditions).events(NOW, "node-1")) {
                assertThat(state.accepts(event)).isTrue();
                state = state.after(event);
            }
        });
    }

    @Test
    void theTableCoversEveryStateAndEveryStep() {
        assertThat(rules().stream().map(rule -> rule.cells.get(0)).collect(Collectors.toSet()))
                .isEqualTo(STATES.keySet());
        assertThat(rules().stream().map(rule -> rule.step().split(" ", 2)[0]).collect(Collectors.toSet()))
                .isEqualTo(Arrays.stream(Step.class.getPermittedSubclasses())
                        .map(Class::getSimpleName)
                        .collect(Collectors.toSet()));
        assertThat(STATES.values().stream().map(RunState::getClass).collect(Collectors.toSet()))
                .isEqualTo(Set.of(
                        RunState.Unborn.class,
                        RunState.Submitted.class,
                        RunState.Queued.class,
                        RunState.Starting.class,
                        RunState.Running.class,
                        RunState.Interrupted.class,
                        RunState.Finished.class));
    }

    private static List<Rule> rules() {
        return RULES.lines()
                .skip(1)
                .map(line -> new Rule(
                        Arrays.stream(line.split("\\|")).map(String::trim).toList()))
                .toList();
    }

    private static List<Case> cases() {
        return STATES.keySet().stream()
                .flatMap(state -> everyCondition().map(conditions -> new Case(state, conditions)))
                .toList();
    }

    private static Stream<Conditions> everyCondition() {
        return Arrays.stream(Request.values()).flatMap(request -> Arrays.stream(Sandbox.values())
                .flatMap(sandbox -> Arrays.stream(Intake.values()).flatMap(intake -> Arrays.stream(Slot.values())
                        .flatMap(slot -> Arrays.stream(Lease.values()).flatMap(lease -> Arrays.stream(Earlier.values())
                                .map(earlier -> new Conditions(request, sandbox, intake, slot, lease, earlier)))))));
    }

    private static String named(Step step) {
        String name = step.getClass().getSimpleName();
        if (step instanceof Step.Start start) {
            return name + " " + start.attempt();
        }
        if (step instanceof Step.EndCancelled end) {
            return name + " " + end.attempt();
        }
        if (step instanceof Step.Interrupt interrupt) {
            return name + " " + interrupt.attempt() + " " + interrupt.cause();
        }
        return step instanceof Step.Lose lose ? name + " " + lose.attempt() + " " + lose.cause() : name;
    }

    private static Map<String, RunState> states() {
        Map<String, RunState> states = new LinkedHashMap<>();
        states.put("Unborn", RunState.initial());
        states.put("Submitted", new RunState.Submitted(OPEN));
        states.put("Queued", new RunState.Queued(OPEN));
        states.put("Starting", new RunState.Starting(OPEN, 2, "node-1"));
        states.put("Starting cancelled", new RunState.Starting(CANCELLED, 2, "node-1"));
        states.put("Running", new RunState.Running(OPEN, 2, "node-1", STARTED));
        states.put("Running cancelled", new RunState.Running(CANCELLED, 2, "node-1", STARTED));
        states.put("Interrupted", interrupted(OPEN));
        states.put("Interrupted cancelled", interrupted(CANCELLED));
        states.put("Interrupted for good", interrupted(submission(NodeLossPolicy.FAIL, Optional.empty())));
        states.put(
                "Finished",
                new RunState.Finished(
                        OPEN, 2, Optional.of(STARTED), new RunEvent.RunSucceeded(NOW, "node-1", 2, Usage.NONE)));
        return states;
    }

    private static RunState interrupted(Submission submission) {
        return new RunState.Interrupted(submission, 2, "node-1", Interruption.DRAINED, "detail");
    }

    private static Submission submission(NodeLossPolicy policy, Optional<Instant> cancelRequestedAt) {
        return new Submission(
                new RunId("01j0000000000000000000000a"),
                Specs.spec(TimeSpan.ofSeconds(60), policy, 3),
                Digest.of(Blob.ofUtf8("digest")),
                NOW,
                cancelRequestedAt,
                Optional.empty());
    }
}
