package dev.vivarium.protocol.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.RunEvent.AlarmRaised;
import dev.vivarium.protocol.run.RunEvent.AttemptInterrupted;
import dev.vivarium.protocol.run.RunEvent.AttemptStarted;
import dev.vivarium.protocol.run.RunEvent.AttemptStarting;
import dev.vivarium.protocol.run.RunEvent.CancelRequested;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.RunEvent.EgressDenied;
import dev.vivarium.protocol.run.RunEvent.EgressUsed;
import dev.vivarium.protocol.run.RunEvent.RunCancelled;
import dev.vivarium.protocol.run.RunEvent.RunFailed;
import dev.vivarium.protocol.run.RunEvent.RunKilled;
import dev.vivarium.protocol.run.RunEvent.RunLost;
import dev.vivarium.protocol.run.RunEvent.RunNotStarted;
import dev.vivarium.protocol.run.RunEvent.RunQueued;
import dev.vivarium.protocol.run.RunEvent.RunSubmitted;
import dev.vivarium.protocol.run.RunEvent.RunSucceeded;
import dev.vivarium.protocol.run.RunState.Existing;
import dev.vivarium.protocol.run.RunState.Finished;
import dev.vivarium.protocol.run.RunState.IllegalTransition;
import dev.vivarium.protocol.run.RunState.Interrupted;
import dev.vivarium.protocol.run.RunState.Queued;
import dev.vivarium.protocol.run.RunState.Running;
import dev.vivarium.protocol.run.RunState.Starting;
import dev.vivarium.protocol.run.RunState.Submission;
import dev.vivarium.protocol.run.RunState.Submitted;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class RunStateTest {
    /** The complete transition table: for each event, the next state in each state; a dash where the event is illegal. */
    private static final Digest SENT = Digest.of(new byte[0]);

    private static final String LEGALITY =
            """
            event              | Unborn    | Submitted | Queued   | Starting    | Running     | Interrupted | Finished
            RunSubmitted       | Submitted | -         | -        | -           | -           | -           | -
            RunQueued          | -         | Queued    | -        | -           | -           | -           | -
            AttemptStarting    | -         | Starting  | Starting | -           | -           | Starting    | -
            SecretsUsed        | -         | -         | -        | Starting    | -           | -           | -
            AttemptStarted     | -         | -         | -        | Running     | -           | -           | -
            AlarmRaised        | -         | -         | -        | -           | Running     | -           | -
            EgressDenied       | -         | -         | -        | -           | Running     | -           | -
            EgressUsed         | -         | -         | -        | -           | Running     | -           | -
            ArtifactsKept      | -         | -         | -        | -           | Running     | -           | -
            WarningSent        | -         | -         | -        | -           | Running     | -           | -
            DeadlineMoved      | -         | Submitted | Queued   | Starting    | Running     | Interrupted | -
            CancelRequested    | -         | Submitted | Queued   | Starting    | Running     | Interrupted | -
            AttemptInterrupted | -         | -         | -        | Interrupted | Interrupted | -           | -
            RunSucceeded       | -         | -         | -        | -           | Finished    | -           | -
            RunFailed          | -         | -         | -        | -           | Finished    | -           | -
            RunNotStarted      | -         | Finished  | Finished | Finished    | -           | -           | -
            RunKilled          | -         | -         | -        | Finished    | Finished    | Finished    | -
            RunCancelled       | -         | Finished  | Finished | Finished    | Finished    | Finished    | -
            RunLost            | -         | -         | -        | -           | -           | Finished    | -
            """;

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final AttemptStarted STARTED = new AttemptStarted(
            NOW, "n1", 1, "sandbox", Optional.of(new SandboxStart(SandboxStart.Birth.WARM, 100, 200, 300)));
    private static final RunId ID = new RunId("01j0000000000000000000000a");
    private static final Submission SUBMISSION = submission(NodeLossPolicy.RESTART, 3);

    private static final List<RunState> STATES = List.of(
            RunState.initial(),
            new Submitted(SUBMISSION),
            new Queued(SUBMISSION),
            new Starting(SUBMISSION, 1, "n1"),
            new Running(SUBMISSION, 1, "n1", STARTED),
            new Interrupted(SUBMISSION, 1, "node-1", Interruption.NODE_LOST, "detail"),
            new Finished(SUBMISSION, 1, Optional.of(STARTED), new RunSucceeded(NOW, "n1", 1, Usage.NONE)));

    static Stream<Arguments> everyPair() {
        List<List<String>> table = LEGALITY.lines()
                .map(line -> Arrays.stream(line.split("\\|")).map(String::trim).toList())
                .toList();
        List<String> states = table.get(0);
        return table.stream().skip(1).flatMap(row -> STATES.stream()
                .map(state -> Arguments.of(state, row.get(0), row.get(states.indexOf(name(state))))));
    }

    @ParameterizedTest(name = "{1} in {0} gives {2}")
    @MethodSource("everyPair")
    void everyEventInEveryStateGivesWhatTheTableSays(RunState state, String kind, String expected) {
        RunEvent event = fitting(kind, state);

        if (expected.equals("-")) {
            assertThat(state.accepts(event)).isFalse();
            assertThatThrownBy(() -> state.after(event))
                    .isInstanceOf(IllegalTransition.class)
                    .hasMessage(kind + " may not happen to a run that is " + name(state));
        } else {
            assertThat(state.accepts(event)).isTrue();
            assertThat(name(state.after(event))).isEqualTo(expected);
        }
    }

    @Test
    void theTableCoversAllStatesAndEvents() {
        Set<String> events = Arrays.stream(RunEvent.class.getPermittedSubclasses())
                .filter(Class::isRecord)
                .map(Class::getSimpleName)
                .collect(Collectors.toSet());
        Arrays.stream(RunEvent.Terminal.class.getPermittedSubclasses())
                .map(Class::getSimpleName)
                .forEach(events::add);
        Set<String> walked = everyPair().map(pair -> (String) pair.get()[1]).collect(Collectors.toSet());

        assertThat(walked).isEqualTo(events);
        assertThat(STATES.stream().map(RunStateTest::name))
                .containsExactly("Unborn", "Submitted", "Queued", "Starting", "Running", "Interrupted", "Finished");
    }

    static Stream<Arguments> everyPairWithAnAttempt() {
        return everyPair().filter(pair -> {
            String kind = (String) pair.get()[1];
            return !Set.of("RunSubmitted", "RunQueued", "CancelRequested", "DeadlineMoved")
                    .contains(kind);
        });
    }

    @ParameterizedTest(name = "{1} of attempt 7 in {0}")
    @MethodSource("everyPairWithAnAttempt")
    void anEventOfAnotherAttemptNeverHappens(RunState state, String kind, String ignored) {
        assertThat(state.accepts(event(kind, 7))).isFalse();
    }

    @Test
    void theFirstAttemptIsNumberOne() {
        assertThat(new Submitted(SUBMISSION).accepts(event("AttemptStarting", 2)))
                .isFalse();
    }

    @ParameterizedTest
    @EnumSource(KillReason.class)
    void aKilledRunHasItsReason(KillReason reason) {
        RunKilled killed = new RunKilled(NOW, "n1", 1, reason, Optional.empty(), Usage.NONE);

        Finished end = (Finished) new Running(SUBMISSION, 1, "n1", STARTED).after(killed);

        assertThat(end.status()).isEqualTo(RunStatus.KILLED);
        assertThat(end.reason()).contains(reason);
        assertThat(end.started()).contains(STARTED);
    }

    static Stream<Arguments> ends() {
        RunState starting = new Starting(SUBMISSION, 1, "n1");
        RunState running = new Running(SUBMISSION, 1, "n1", STARTED);
        return Stream.of(
                Arguments.of(running, "RunSucceeded", RunStatus.SUCCEEDED, Optional.empty()),
                Arguments.of(running, "RunFailed", RunStatus.FAILED, Optional.empty()),
                Arguments.of(starting, "RunNotStarted", RunStatus.FAILED, Optional.empty()),
                Arguments.of(starting, "RunKilled", RunStatus.KILLED, Optional.of(KillReason.MEMORY)),
                Arguments.of(running, "RunKilled", RunStatus.KILLED, Optional.of(KillReason.MEMORY)),
                Arguments.of(starting, "RunCancelled", RunStatus.CANCELLED, Optional.of(KillReason.CANCELLED)),
                Arguments.of(running, "RunCancelled", RunStatus.CANCELLED, Optional.of(KillReason.CANCELLED)));
    }

    @ParameterizedTest
    @MethodSource("ends")
    void eachEndHasItsStatusAndReason(RunState state, String kind, RunStatus status, Optional<KillReason> reason) {
        Finished end = (Finished) state.after(event(kind, 1));

        assertThat(end.status()).isEqualTo(status);
        assertThat(end.status().isTerminal()).isTrue();
        assertThat(end.reason()).isEqualTo(reason);
        assertThat(end.started().isPresent()).isEqualTo(state instanceof Running);
    }

    @Test
    void aLostRunShowsWhetherItsNodeDiedOrWasDrained() {
        assertThat(lostBy(Interruption.NODE_LOST).reason()).contains(KillReason.NODE_LOST);
        assertThat(lostBy(Interruption.ENGINE_LOST).reason()).contains(KillReason.NODE_LOST);
        assertThat(lostBy(Interruption.DRAINED).reason()).contains(KillReason.DRAINED);
        assertThat(lostBy(Interruption.DRAINED).status()).isEqualTo(RunStatus.LOST);
    }

    @Test
    void onlyTheFirstRequestToCancelCounts() {
        RunState once = new Running(SUBMISSION, 1, "n1", STARTED)
                .after(new CancelRequested(NOW, "n1", Principal.LOCAL_OPERATOR, Optional.empty()));
        RunState twice =
                once.after(new CancelRequested(NOW.plusSeconds(9), "n1", Principal.LOCAL_OPERATOR, Optional.empty()));

        assertThat(((Existing) twice).submission().cancelRequestedAt()).contains(NOW);
    }

    @Test
    void aMovedDeadlineIsInForceForThisAttemptAndTheNextAndTheSubmissionStaysAsItWas() {
        Existing interrupted = (Existing) new Running(SUBMISSION, 1, "n1", STARTED)
                .after(moved(1, 600))
                .after(moved(600, 900))
                .after(event("AttemptInterrupted", 1));

        Limits inForce = interrupted.submission().specInForce().limits();
        assertThat(inForce)
                .isEqualTo(
                        SUBMISSION.spec().limits().with(Limit.WALL_CLOCK, "15m").with(Limit.CPU_TIME, "30m"));
        assertThat(interrupted.submission().spec()).isEqualTo(SUBMISSION.spec());
        assertThat(interrupted.submission().renewals()).isEqualTo(2);
        assertThat(((Existing) interrupted.after(event("AttemptStarting", 2))).submission())
                .isEqualTo(interrupted.submission());
    }

    @Test
    void anInterruptedRunRestartsOnlyIfItsPolicyAllowsItAndItIsNotCancelled() {
        assertThat(interrupted(submission(NodeLossPolicy.RESTART, 2), 1).mayRestart())
                .isTrue();
        assertThat(interrupted(submission(NodeLossPolicy.RESTART, 2), 2).mayRestart())
                .isFalse();
        assertThat(interrupted(submission(NodeLossPolicy.FAIL, 2), 1).mayRestart())
                .isFalse();
        assertThat(interrupted(submission(NodeLossPolicy.RESTART, 2).cancelled(NOW), 1)
                        .mayRestart())
                .isFalse();
    }

    private static Interrupted interrupted(Submission submission, int attempt) {
        return new Interrupted(submission, attempt, "node-1", Interruption.NODE_LOST, "detail");
    }

    private static Finished lostBy(Interruption cause) {
        return (Finished) interrupted(SUBMISSION, 1).after(new RunLost(NOW, "n1", 1, cause, "detail"));
    }

    private static String name(RunState state) {
        return state.getClass().getSimpleName();
    }

    /** An event of the kind that carries the attempt which is due in the state. */
    private static RunEvent fitting(String kind, RunState state) {
        int attempt = state instanceof Existing existing ? existing.attempt() : 0;
        return event(kind, kind.equals("AttemptStarting") && !(state instanceof Starting) ? attempt + 1 : attempt);
    }

    private static RunEvent event(String kind, int attempt) {
        return switch (kind) {
            case "RunSubmitted" -> new RunSubmitted(
                    NOW, "n1", Principal.LOCAL_OPERATOR, ID, SUBMISSION.spec(), SENT, Optional.empty());
            case "RunQueued" -> new RunQueued(NOW, "n1");
            case "AttemptStarting" -> new AttemptStarting(NOW, "n1", attempt);
            case "SecretsUsed" -> new RunEvent.SecretsUsed(
                    NOW, "n1", attempt, List.of(new SecretVersion(new SecretName("git-token"), 1)));
            case "AttemptStarted" -> new AttemptStarted(NOW, "n1", attempt, "sandbox", Optional.empty());
            case "AlarmRaised" -> new AlarmRaised(
                    NOW, "n1", attempt, KillReason.MEMORY, Measurement.bytes(9, 10), Consequence.NOTED);
            case "EgressUsed" -> new EgressUsed(NOW, "n1", attempt, 1, 1, 1, 1, List.of());
            case "ArtifactsKept" -> new RunEvent.ArtifactsKept(NOW, "n1", attempt, List.of(), 0, List.of());
            case "EgressDenied" -> new EgressDenied(NOW, "n1", attempt, 1, 1, List.of());
            case "WarningSent" -> new RunEvent.WarningSent(
                    NOW, "n1", attempt, WarningSignal.SIGUSR1, TimeSpan.ofSeconds(60));
            case "DeadlineMoved" -> moved(60, 600);
            case "CancelRequested" -> new CancelRequested(NOW, "n1", Principal.LOCAL_OPERATOR, Optional.empty());
            case "AttemptInterrupted" -> new AttemptInterrupted(
                    NOW, "n1", attempt, Interruption.NODE_LOST, "detail", Optional.empty());
            case "RunSucceeded" -> new RunSucceeded(NOW, "n1", attempt, Usage.NONE);
            case "RunFailed" -> new RunFailed(NOW, "n1", attempt, 1, Optional.empty(), Usage.NONE);
            case "RunNotStarted" -> new RunNotStarted(
                    NOW, "n1", attempt, new StartFailure(StartFailure.Kind.COMMAND_NOT_FOUND, "Name another."));
            case "RunKilled" -> new RunKilled(
                    NOW, "n1", attempt, KillReason.MEMORY, Optional.of(Measurement.bytes(11, 10)), Usage.NONE);
            case "RunCancelled" -> new RunCancelled(NOW, "n1", attempt, Usage.NONE);
            case "RunLost" -> new RunLost(NOW, "n1", attempt, Interruption.NODE_LOST, "detail");
            default -> throw new AssertionError("The table contains " + kind + ", which is no event.");
        };
    }

    private static RunEvent.DeadlineMoved moved(long from, long to) {
        return new RunEvent.DeadlineMoved(
                NOW,
                "n1",
                Principal.LOCAL_OPERATOR,
                TimeSpan.ofSeconds(from),
                TimeSpan.ofSeconds(to),
                TimeSpan.ofSeconds(2 * to),
                Optional.empty());
    }

    private static Submission submission(NodeLossPolicy policy, int maxAttempts) {
        RunSpec spec = new RunSpec(
                "image",
                List.of("agent"),
                Map.of(),
                SealedSecrets.NONE,
                Map.of(),
                "/workspace",
                Map.of(),
                List.of(),
                Limits.SMALLEST,
                Optional.empty(),
                new EgressPolicy(EgressPolicy.Mode.NONE),
                Isolation.CONTAINER,
                policy,
                maxAttempts,
                Map.of(),
                Tenant.DEFAULT,
                Optional.empty());
        return new Submission(ID, spec, SENT, NOW, Optional.empty(), Optional.empty());
    }
}
