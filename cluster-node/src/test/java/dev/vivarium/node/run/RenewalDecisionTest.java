package dev.vivarium.node.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.run.RenewAnswer.Reason;
import dev.vivarium.node.run.RenewalDecision.Verdict;
import dev.vivarium.node.sandbox.Specs;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a run does about a request to move its deadline, in every state. */
class RenewalDecisionTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Renewal TEN_MINUTES = new Renewal(TimeSpan.parse("10m"), TimeSpan.parse("24h"));
    private static final int MOST = 2;

    private static final RunState SUBMITTED = RunState.initial()
            .after(new RunEvent.RunSubmitted(
                    NOW,
                    "n1",
                    Principal.LOCAL_OPERATOR,
                    new RunId("01j0000000000000000000000a"),
                    Specs.spec(TimeSpan.ofSeconds(60), NodeLossPolicy.RESTART, 2),
                    Digest.of(Blob.ofUtf8("digest")),
                    Optional.empty()));
    private static final RunState STARTING = SUBMITTED.after(new RunEvent.AttemptStarting(NOW, "n1", 1));
    private static final RunState RUNNING =
            STARTING.after(new RunEvent.AttemptStarted(NOW, "n1", 1, "sandbox", Optional.empty()));
    private static final RunState INTERRUPTED = interrupted(RUNNING, 1);

    @Test
    void aSandboxDecidesForItsAttempt() {
        for (RunState attempting : List.of(STARTING, RUNNING)) {
            assertThat(decide(attempting, RunDecision.Sandbox.PRESENT))
                    .isEqualTo(new Verdict.AskSandbox(tenMinutes(attempting)));
        }
    }

    /** A lost sandbox cannot be asked, and a next attempt is on its way. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "PRESENT")
    void withoutASandboxTheNextAttemptHasTheNewDeadline(RunDecision.Sandbox sandbox) {
        RunState queued = SUBMITTED.after(new RunEvent.RunQueued(NOW, "n1"));
        for (RunState run : List.of(SUBMITTED, queued, STARTING, RUNNING, INTERRUPTED)) {
            assertThat(decide(run, sandbox)).isEqualTo(new Verdict.Note(tenMinutes(run)));
        }
    }

    @Test
    void aRunThatEndsIsNotRenewed() {
        RunState ended = RUNNING.after(new RunEvent.RunSucceeded(NOW, "n1", 1, Usage.NONE));
        RunState second = INTERRUPTED
                .after(new RunEvent.AttemptStarting(NOW, "n1", 2))
                .after(new RunEvent.AttemptStarted(NOW, "n1", 2, "sandbox", Optional.empty()));

        assertThat(decide(ended, RunDecision.Sandbox.ABSENT)).isEqualTo(new Verdict.Refuse(Reason.ENDED));
        assertThat(decide(interrupted(second, 2), RunDecision.Sandbox.ABSENT))
                .as("it may not restart")
                .isEqualTo(new Verdict.Refuse(Reason.ENDING));
        for (RunState run : List.of(SUBMITTED, RUNNING, INTERRUPTED)) {
            RunState cancelled =
                    run.after(new RunEvent.CancelRequested(NOW, "n1", Principal.LOCAL_OPERATOR, Optional.empty()));
            assertThat(decide(cancelled, RunDecision.Sandbox.PRESENT)).isEqualTo(new Verdict.Refuse(Reason.CANCELLED));
        }
    }

    @Test
    void aDeadlineMovesOnlySoOftenButARepeatedRequestIsNoMove() {
        RunState twice = SUBMITTED.after(moved("1m", "2m")).after(moved("2m", "10m"));

        assertThat(decide(twice, RunDecision.Sandbox.ABSENT)).isEqualTo(new Verdict.Note(tenMinutes(twice)));
        assertThat(events(twice, tenMinutes(twice))).isEmpty();
        assertThat(RenewalDecision.decide(
                        (RunState.Existing) twice,
                        RunDecision.Sandbox.ABSENT,
                        new Renewal(TimeSpan.parse("11m"), TimeSpan.parse("24h")),
                        MOST))
                .isEqualTo(new Verdict.Refuse(Reason.TOO_OFTEN));
    }

    @Test
    void theEventNamesBothDeadlinesAndWhoMovedIt() {
        assertThat(events(RUNNING, tenMinutes(RUNNING)))
                .containsExactly(new RunEvent.DeadlineMoved(
                        NOW,
                        "n2",
                        Principal.LOCAL_OPERATOR,
                        TimeSpan.parse("1m"),
                        TimeSpan.parse("10m"),
                        TimeSpan.parse("1m"),
                        Optional.empty()));
    }

    private static List<RunEvent> events(RunState run, Limits limits) {
        return RenewalDecision.events(
                (RunState.Existing) run, limits, Principal.LOCAL_OPERATOR, Optional.empty(), NOW, "n2");
    }

    private static Verdict decide(RunState run, RunDecision.Sandbox sandbox) {
        return RenewalDecision.decide((RunState.Existing) run, sandbox, TEN_MINUTES, MOST);
    }

    private static Limits tenMinutes(RunState run) {
        return ((RunState.Existing) run).submission().limitsInForce().with(Limit.WALL_CLOCK, "10m");
    }

    private static RunState interrupted(RunState run, int attempt) {
        return run.after(new RunEvent.AttemptInterrupted(
                NOW, "n1", attempt, Interruption.NODE_LOST, "detail", Optional.empty()));
    }

    private static RunEvent moved(String from, String to) {
        return new RunEvent.DeadlineMoved(
                NOW,
                "n1",
                Principal.LOCAL_OPERATOR,
                TimeSpan.parse(from),
                TimeSpan.parse(to),
                TimeSpan.parse("1m"),
                Optional.empty());
    }
}
