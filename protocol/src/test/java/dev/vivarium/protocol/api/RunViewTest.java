package dev.vivarium.protocol.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.SandboxStart;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.SecretVersion;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.WarningSignal;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A view updated event by event equals the view of the state that the same events fold to. */
class RunViewTest {
    private static final RunId ID = new RunId("01j0000000000000000000000a");
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
    private static final RunState SUBMITTED = RunState.initial()
            .after(new RunEvent.RunSubmitted(
                    NOON, "n0", Principal.LOCAL_OPERATOR, ID, spec(), Digest.of(Blob.EMPTY), Optional.empty()));

    /** More than the longest path to a new kind of state: two attempts, interrupted, with a cancellation, and an end. */
    private static final int EVENTS_MAX = 7;

    @Test
    void aViewFollowsTheStateForEveryEventInEveryReachableState() {
        Set<RunState> walked = new HashSet<>();
        Set<RunState> reached = Set.of(SUBMITTED);
        for (int length = 0; length < EVENTS_MAX; length++) {
            Set<RunState> next = new HashSet<>();
            for (RunState state : reached) {
                everyEvent(length).forEach(event -> {
                    assertSame((RunState.Existing) state, event);
                    if (state.accepts(event)) {
                        next.add(state.after(event));
                    }
                });
            }
            walked.addAll(reached);
            reached = next;
        }
        assertThat(walked.stream().map(Object::getClass).distinct()).hasSize(6);
    }

    private static void assertSame(RunState.Existing state, RunEvent event) {
        RunView view = RunView.of(state);
        if (state.accepts(event)) {
            assertThat(view.after(event)).isEqualTo(RunView.of((RunState.Existing) state.after(event)));
        } else {
            assertThatThrownBy(() -> view.after(event))
                    .as("%s after %s", event, state)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(event.getClass().getSimpleName());
        }
    }

    /** Each position in the sequence has its own time and node, so that a field from a wrong event is noticed. */
    private static Stream<RunEvent> everyEvent(int place) {
        Instant at = NOON.plusSeconds(place + 1L);
        String node = "n" + (place + 1);
        return IntStream.rangeClosed(0, 3).boxed().flatMap(attempt -> events(at, node, attempt).stream());
    }

    private static List<RunEvent> events(Instant at, String node, int attempt) {
        Usage usage = Usage.NONE
                .with(Limit.WALL_CLOCK, attempt + 1)
                .with(Limit.CPU_TIME, 2)
                .with(Limit.MEMORY, 3)
                .with(Limit.DISK, 4)
                .with(Limit.FILES, 5)
                .with(Limit.OUTPUT, 6)
                .with(Limit.PIDS, 7);
        return List.of(
                new RunEvent.RunSubmitted(
                        at, node, Principal.LOCAL_OPERATOR, ID, spec(), Digest.of(Blob.EMPTY), Optional.empty()),
                new RunEvent.RunQueued(at, node),
                new RunEvent.AttemptStarting(at, node, attempt),
                new RunEvent.SecretsUsed(at, node, attempt, List.of(new SecretVersion(new SecretName("git-token"), 1))),
                new RunEvent.AttemptStarted(
                        at, node, attempt, "sandbox", Optional.of(new SandboxStart(SandboxStart.Birth.COLD, 1, 2, 3))),
                new RunEvent.AlarmRaised(
                        at, node, attempt, KillReason.MEMORY, Measurement.bytes(9, 10), RunEvent.Consequence.NOTED),
                new RunEvent.EgressDenied(at, node, attempt, 1, 1, List.of()),
                new RunEvent.EgressUsed(at, node, attempt, 1, 1, 1, 1, List.of()),
                new RunEvent.ArtifactsKept(at, node, attempt, List.of(), 0, List.of()),
                new RunEvent.WarningSent(at, node, attempt, WarningSignal.SIGUSR1, TimeSpan.ofSeconds(1)),
                new RunEvent.DeadlineMoved(
                        at,
                        node,
                        Principal.LOCAL_OPERATOR,
                        TimeSpan.ofSeconds(1),
                        TimeSpan.ofSeconds(2),
                        TimeSpan.ofSeconds(3),
                        Optional.empty()),
                new RunEvent.CancelRequested(at, node, Principal.LOCAL_OPERATOR, Optional.empty()),
                new RunEvent.AttemptInterrupted(at, node, attempt, Interruption.NODE_LOST, "detail", Optional.empty()),
                new RunEvent.RunSucceeded(at, node, attempt, usage),
                new RunEvent.RunFailed(at, node, attempt, 3, Optional.empty(), usage),
                new RunEvent.RunNotStarted(
                        at, node, attempt, new StartFailure(StartFailure.Kind.COMMAND_NOT_FOUND, "Name another.")),
                new RunEvent.RunKilled(
                        at, node, attempt, KillReason.MEMORY, Optional.of(Measurement.bytes(11, 10)), usage),
                new RunEvent.RunCancelled(at, node, attempt, usage),
                new RunEvent.RunLost(at, node, attempt, Interruption.DRAINED, "detail"));
    }

    private static RunSpec spec() {
        return new RunSpec(
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
                NodeLossPolicy.RESTART,
                3,
                Map.of(),
                Tenant.DEFAULT,
                Optional.empty());
    }
}
