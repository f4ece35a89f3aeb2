package dev.vivarium.node.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.QuotaCheck;
import dev.vivarium.node.placement.ShardRelease;
import dev.vivarium.node.placement.TenantLoad;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.Runs.Interest;
import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.node.run.sharding.LoadReporter;
import dev.vivarium.node.sandbox.LiveSandboxes;
import dev.vivarium.node.sandbox.MemoryStore;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.SandboxEnvironment;
import dev.vivarium.node.sandbox.ScriptedDriver;
import dev.vivarium.node.sandbox.Specs;
import dev.vivarium.node.sandbox.TakeoverWait;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RememberingEntry;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.WarningSignal;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.SerializationTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.ProcessingSuccess$;
import org.apache.pekko.persistence.testkit.StorageFailure;
import org.apache.pekko.persistence.testkit.WriteEvents;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.apache.pekko.serialization.jackson.JacksonObjectMapperProvider;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The life of a run in its entity, with a journal that the test reads and a guest that it plays. */
class RunTest {
    private static final Config CONFIG = ConfigFactory.parseString(
                    """
            pekko.actor.provider = local
            pekko.actor.testkit.typed.single-expect-default = 20s
            pekko.actor.testkit.typed.filter-leeway = 20s
            vivarium.sandbox { sample-interval = 20ms, kill-confirm = 50ms, soft-grace = 50ms }
            """)
            .withFallback(PersistenceTestKitPlugin.getInstance().config())
            .withFallback(ConfigFactory.load());
    private static final ActorTestKit KIT = ActorTestKit.create("run", CONFIG);
    private static final PersistenceTestKit JOURNAL = PersistenceTestKit.create(KIT.system());
    private static final Digest DIGEST = Digest.of(Blob.ofUtf8("digest"));

    /** When the client stops waiting for its submission. */
    private final Instant soon = Instant.now().plus(Duration.ofHours(1));

    private RunId id = new RunId(UlidCreator.getUlid().toLowerCase());
    private final ScriptedDriver driver = new ScriptedDriver();
    private final MemoryStore store = new MemoryStore();
    private final Drain drain = new Drain();
    private NodeSlots slots = slots(100, 100);
    private final TestProbe<ClusterSharding.ShardCommand> shard =
            KIT.createTestProbe(ClusterSharding.ShardCommand.class);
    private final TestProbe<SubmitAnswer> submitted = KIT.createTestProbe(SubmitAnswer.class);
    private final TestProbe<CancelAnswer> cancelled = KIT.createTestProbe(CancelAnswer.class);
    private final TestProbe<RenewAnswer> renewals = KIT.createTestProbe(RenewAnswer.class);
    private ActorRef<Run.Command> run;

    @AfterAll
    static void stopKit() {
        KIT.shutdownTestKit();
    }

    @BeforeEach
    void startEntity() {
        JOURNAL.clearAll();
        JOURNAL.resetPolicy();
        run = entity();
    }

    @Test
    void aRunGoesFromItsSubmissionToItsEndInAChainOfEvents() {
        submit(Specs.hello());
        awaitStarted(1);

        driver.emit(new GuestFrame.Exited(1, 0));

        awaitEvents("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");
        assertThat(driver.live()).isEmpty();
        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(slots.holding()).isZero();
        Blob head = EventCodec.genesis(id);
        for (JournalEntry entry : entries()) {
            assertThat(entry.previousHash()).isEqualTo(head);
            head = entry.hash();
        }
    }

    @Test
    void aSubmissionAfterItsClientsDeadlineStartsNoRun() {
        Instant past = Instant.now().minusMillis(1);

        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, past, submitted.ref()));

        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.NotDurable.class);
        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(entries()).isEmpty();
        assertThat(slots.holding()).isZero();
    }

    @Test
    void aSubmissionRememberedAfterItsDeadlineStartsNoRunEither() {
        CompletableFuture<Done> gate = new CompletableFuture<>();
        store.holdMemory(gate);
        Instant until = Instant.now().plusMillis(100);
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, until, submitted.ref()));
        Awaitility.await().until(() -> Instant.now().isAfter(until));

        gate.complete(Done.getInstance());

        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.NotDurable.class);
        assertThat(entries()).isEmpty();
        assertThat(slots.holding()).isZero();
    }

    @Test
    void aRepeatedSubmissionIsTheSameRunAndAnotherOneIsRefused() {
        submit(Specs.hello());
        awaitStarted(1);

        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.AcceptedBefore.class);
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR,
                ORIGIN,
                Specs.hello(),
                Digest.of(Blob.ofUtf8("other")),
                WhenFull.QUEUE,
                soon,
                submitted.ref()));
        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.OtherSubmission.class);

        assertThat(driver.claims()).hasSize(1);
    }

    @Test
    void onlyDurableSubmissionsAreAcknowledged() {
        JOURNAL.failNextPersisted(RunPersistenceId.of(id).id());

        LoggingTestKit.error("Failed to persist").expect(KIT.system(), () -> {
            run.tell(new Run.Submit(
                    Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
            return null;
        });

        submitted.expectNoMessage(Duration.ofMillis(200));
        assertThat(driver.claims()).isEmpty();
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.Accepted.class);
    }

    @Test
    void aSubmissionDuringARetryOfTheJournalIsAnswered() {
        JOURNAL.failNextPersisted(RunPersistenceId.of(id).id());
        Run.Submit submit = new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref());
        LoggingTestKit.error("Failed to persist").expect(KIT.system(), () -> {
            run.tell(submit);
            return null;
        });

        // During the backoff before the entity restarts, together with the journal's answer for the second event of
        // the write.
        run.tell(submit);

        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.Accepted.class);
    }

    @Test
    void aRunIsRememberedBeforeItIsDurableAndForgottenAfterItsEnd() {
        CompletableFuture<Done> slowStore = new CompletableFuture<>();
        store.holdMemory(slowStore);
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        submitted.expectNoMessage(Duration.ofMillis(200));
        assertThat(entries()).isEmpty();

        slowStore.complete(Done.getInstance());
        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.Accepted.class);
        assertThat(store.remembered()).contains(id);
        awaitStarted(1);

        CompletableFuture<Done> slowAgain = new CompletableFuture<>();
        store.holdMemory(slowAgain);
        driver.emit(new GuestFrame.Exited(1, 0));
        awaitLast("RunSucceeded");
        shard.expectNoMessage(Duration.ofMillis(200));
        assertThat(store.remembered()).contains(id);

        slowAgain.complete(Done.getInstance());
        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(store.remembered()).doesNotContain(id);
    }

    @Test
    void whereTheMemoryIsChangedWithEventsTheStoreIsAskedForNothingElse() {
        store.changeMemoryWithEvents();
        store.holdMemory(new CompletableFuture<>());
        List<String> changes = recordMemoryChanges();

        submit(Specs.hello());
        awaitStarted(1);
        driver.emit(new GuestFrame.Exited(1, 0));

        awaitLast("RunSucceeded");
        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(changes).containsExactly("RunSubmitted REMEMBER 7", "RunSucceeded FORGET 7");
    }

    /** After a crash in between it must be recovered, to destroy the key. */
    @Test
    void aRunWithSecretsIsForgottenAfterItsLastEventAndNotWithIt() {
        store.changeMemoryWithEvents();
        store.remember("7", id);
        List<String> changes = recordMemoryChanges();

        submit(Specs.withSecrets("KEY"));
        awaitStarted(1);
        driver.emit(new GuestFrame.Exited(1, 0));

        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(changes).containsExactly("RunSubmitted REMEMBER 7");
        assertThat(store.shredded()).contains(id);
        assertThat(store.remembered()).doesNotContain(id);
    }

    private List<String> recordMemoryChanges() {
        List<String> changes = new CopyOnWriteArrayList<>();
        JOURNAL.withPolicy((persistenceId, operation) -> {
            if (operation instanceof WriteEvents write) {
                write.getBatch().stream()
                        .filter(RememberingEntry.class::isInstance)
                        .map(RememberingEntry.class::cast)
                        .forEach(entry ->
                                changes.add(entry.entry().type() + " " + entry.change() + " " + entry.shard()));
            }
            return ProcessingSuccess$.MODULE$;
        });
        return changes;
    }

    @Test
    void aRunThatCannotBeRememberedIsNotAcceptedAndMayBeSubmittedAgain() {
        store.holdMemory(
                CompletableFuture.failedStage(new StoreUnavailable("away", new IllegalStateException("away"))));

        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));

        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.NotDurable.class);
        assertThat(entries()).isEmpty();
        assertThat(slots.holding()).isZero();
        store.holdMemory(CompletableFuture.completedStage(Done.getInstance()));
        submit(Specs.hello());
        awaitStarted(1);
    }

    @Test
    void aSubmissionThatIsRepeatedWhileTheFirstIsUnderWayIsTheSameRun() {
        CompletableFuture<Done> slowStore = new CompletableFuture<>();
        store.holdMemory(slowStore);
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        submitted.expectNoMessage(Duration.ofMillis(200));

        slowStore.complete(Done.getInstance());

        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.Accepted.class);
        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.AcceptedBefore.class);
        awaitStarted(1);
        assertThat(eventNames()).filteredOn("RunSubmitted"::equals).hasSize(1);
    }

    @Test
    void aRunWithoutEventsIsForgottenOnceItCanNoLongerBeSubmitted() {
        store.remember("7", id);
        run.tell(Run.NeverBorn.INSTANCE);
        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(store.remembered()).contains(id);

        KIT.stop(run);
        id = new RunId(
                UlidCreator.getUlid(Instant.now().minus(Duration.ofHours(2)).toEpochMilli())
                        .toLowerCase());
        store.remember("7", id);
        run = entity();
        run.tell(Run.NeverBorn.INSTANCE);
        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(store.remembered()).doesNotContain(id);
    }

    @Test
    void whenTheJournalFailsTheSandboxIsLostAndTheNextAttemptStarts() {
        failOnce("AttemptStarted");

        submit(Specs.hello());

        awaitStarted(2);
        assertThat(driver.live()).hasSize(1);
        assertThat(eventNames())
                .containsExactly(
                        "RunSubmitted", "AttemptStarting", "AttemptInterrupted", "AttemptStarting", "AttemptStarted");
    }

    @Test
    void aFailureOfTheJournalDoesNotRestartAFinishedRun() {
        failOnce("RunSucceeded");
        submit(Specs.hello());
        awaitStarted(1);

        driver.emit(new GuestFrame.Exited(1, 0));

        awaitEvents("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");
    }

    @Test
    void aFailureOfTheJournalDoesNotLoseWhatWasKept() {
        failOnce("ArtifactsKept");
        submit(Specs.keeping(new ByteSize(1 << 20), "result.txt"));
        awaitStarted(1);

        driver.emit(new GuestFrame.Exited(1, 0));

        awaitEvents("RunSubmitted", "AttemptStarting", "AttemptStarted", "ArtifactsKept", "RunSucceeded");
    }

    /** Makes the journal fail at this run's first event of the type. */
    private void failOnce(String type) {
        AtomicBoolean failed = new AtomicBoolean();
        JOURNAL.withPolicy((persistenceId, operation) -> persistenceId.equals(
                                RunPersistenceId.of(id).id())
                        && operation instanceof WriteEvents write
                        && write.getBatch().stream()
                                .anyMatch(event -> ((JournalEntry) event).type().equals(type))
                        && failed.compareAndSet(false, true)
                ? StorageFailure.create()
                : ProcessingSuccess$.MODULE$);
    }

    @Test
    void aRunRecoveredWithoutItsSandboxStartsItsNextAttempt() {
        submit(Specs.hello());
        awaitStarted(1);

        crash();

        awaitStarted(2);
        assertThat(driver.live()).hasSize(1);
        assertThat(eventNames())
                .containsExactly(
                        "RunSubmitted",
                        "AttemptStarting",
                        "AttemptStarted",
                        "AttemptInterrupted",
                        "AttemptStarting",
                        "AttemptStarted");
    }

    @Test
    void aRunThatMayNotRestartIsLostWithItsNode() {
        submit(Specs.spec(TimeSpan.ofSeconds(60), NodeLossPolicy.FAIL, 3));
        awaitStarted(1);

        crash();

        awaitLast("RunLost");
        assertThat(driver.live()).isEmpty();
    }

    @Test
    void aRunHasAtMostTheAttemptsOfItsSpec() {
        submit(Specs.spec(TimeSpan.ofSeconds(60), NodeLossPolicy.RESTART, 2));
        awaitStarted(1);
        driver.hangUp(ChannelListener.Cause.ENGINE_LOST);
        awaitStarted(2);

        driver.hangUp(ChannelListener.Cause.ENGINE_LOST);

        awaitLast("RunLost");
        assertThat(eventNames()).filteredOn("AttemptStarting"::equals).hasSize(2);
    }

    @Test
    void aCancelledRunIsKilledAndCancelled() {
        submit(Specs.hello());
        awaitStarted(1);

        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));

        assertThat(cancelled.receiveMessage()).isInstanceOf(CancelAnswer.Noted.class);
        awaitLast("RunCancelled");
        assertThat(events())
                .filteredOn(RunEvent.CancelRequested.class::isInstance)
                .singleElement()
                .satisfies(event ->
                        assertThat(((RunEvent.CancelRequested) event).by()).isEqualTo(Principal.LOCAL_OPERATOR));
        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));
        assertThat(noted(cancelled.receiveMessage()).status()).isEqualTo(RunStatus.CANCELLED);
    }

    @Test
    void aCancellationThatIsNotDurableStopsNothing() {
        failOnce("CancelRequested");
        submit(Specs.hello());
        awaitStarted(1);

        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));

        awaitStarted(2);
        assertThat(eventNames()).doesNotContain("RunCancelled");
    }

    @Test
    void aRunThatDoesNotExistCannotBeCancelled() {
        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));

        assertThat(cancelled.receiveMessage()).isEqualTo(new CancelAnswer.NoSuchRun());
        assertThat(entries()).isEmpty();
    }

    // ---- renewal

    @Test
    void aRenewedDeadlineIsInTheHistoryAndTheSameRequestAgainIsNot() {
        submit(Specs.hello());
        awaitStarted(1);

        assertThat(renewed("10m").submission().limitsInForce().get(Limit.WALL_CLOCK))
                .isEqualTo(TimeSpan.parse("10m"));
        renewed("10m");

        awaitEvents("RunSubmitted", "AttemptStarting", "AttemptStarted", "DeadlineMoved");
        RunEvent.DeadlineMoved moved = (RunEvent.DeadlineMoved) events().get(3);
        assertThat(moved.by()).isEqualTo(Principal.LOCAL_OPERATOR);
        assertThat(moved.from()).isEqualTo(TimeSpan.parse("1m"));
        assertThat(moved.to()).isEqualTo(TimeSpan.parse("10m"));
        assertThat(moved.cpuTime()).as("set by the submission, so it stays").isEqualTo(TimeSpan.parse("1m"));
    }

    @Test
    void aRenewedRunOutlivesItsDeadline() {
        submit(Specs.spec(TimeSpan.ofSeconds(1), NodeLossPolicy.RESTART, 3));
        awaitStarted(1);

        renewed("2s");
        awaitLast("RunKilled");

        RunEvent.RunKilled killed = (RunEvent.RunKilled) events().get(events().size() - 1);
        assertThat(killed.measurement()).hasValueSatisfying(measured -> {
            assertThat(measured.limit()).isEqualTo(2_000);
            assertThat(measured.measured()).isGreaterThanOrEqualTo(2_000);
        });
    }

    @Test
    void theNextAttemptHasTheRenewedDeadline() {
        submit(Specs.hello());
        awaitStarted(1);
        renewed("10m");

        crash();
        awaitStarted(2);

        assertThat(driver.sent())
                .filteredOn(NodeFrame.Arm.class::isInstance)
                .last()
                .satisfies(arm ->
                        assertThat(((NodeFrame.Arm) arm).deadlineMillis()).isBetween(600_000L, 602_025L));
    }

    @Test
    void aRunThatWaitsIsRenewedBeforeItStarts() {
        occupied();
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        submitted.receiveMessage();

        renewed("10m");
        slots.leave(OTHER);
        awaitStarted(1);

        assertThat(eventNames())
                .containsExactly("RunSubmitted", "RunQueued", "DeadlineMoved", "AttemptStarting", "AttemptStarted");
        assertThat(driver.sent())
                .filteredOn(NodeFrame.Arm.class::isInstance)
                .last()
                .satisfies(arm ->
                        assertThat(((NodeFrame.Arm) arm).deadlineMillis()).isGreaterThan(600_000L));
    }

    @Test
    void aRenewalThatIsNotDurableIsNotAcknowledged() {
        failOnce("DeadlineMoved");
        submit(Specs.hello());
        awaitStarted(1);

        renew("10m", soon);

        awaitStarted(2);
        renewals.expectNoMessage(QUIET);
        assertThat(eventNames()).doesNotContain("DeadlineMoved");
        assertThat(driver.sent())
                .filteredOn(NodeFrame.Arm.class::isInstance)
                .last()
                .satisfies(arm ->
                        assertThat(((NodeFrame.Arm) arm).deadlineMillis()).isLessThan(63_000L));
    }

    @Test
    void aRenewalAfterItsCallersDeadlineIsIgnored() {
        submit(Specs.hello());
        awaitStarted(1);

        renew("10m", Instant.now().minusMillis(1));
        renewed("20m");

        assertThat(events())
                .filteredOn(RunEvent.DeadlineMoved.class::isInstance)
                .hasSize(1);
    }

    @Test
    void aRunThatHasEndedOrIsBeingCancelledOrNeverWasIsNotRenewed() {
        renew("10m", soon);
        assertThat(renewals.receiveMessage()).isEqualTo(new RenewAnswer.NoSuchRun());
        submit(Specs.hello());
        awaitStarted(1);
        driver.behave(ScriptedDriver.Manners.DEAF_AFTER_START);
        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));
        renew("10m", soon);
        assertThat(renewals.receiveMessage()).isEqualTo(new RenewAnswer.Refused(RenewAnswer.Reason.CANCELLED));
        awaitLast("RunCancelled");

        renew("10m", soon);

        assertThat(renewals.receiveMessage()).isEqualTo(new RenewAnswer.Refused(RenewAnswer.Reason.ENDED));
        assertThat(eventNames()).doesNotContain("DeadlineMoved");
    }

    @Test
    void aDeadlineIsNotMovedToWhatHasPassed() {
        submit(Specs.hello());
        awaitStarted(1);

        renew("1ms", soon);

        assertThat(renewals.receiveMessage()).isEqualTo(new RenewAnswer.Refused(RenewAnswer.Reason.ALREADY_PAST));
    }

    @Test
    void aDeadlineIsMovedOnlySoOftenAndTheLastRequestMayBeRepeated() {
        submit(Specs.hello());
        awaitStarted(1);
        for (int time = 1; time <= RENEWALS_MAX; time++) {
            renewed(10 + time + "m");
        }

        renewed(10 + RENEWALS_MAX + "m");
        renew("30m", soon);

        assertThat(renewals.receiveMessage()).isEqualTo(new RenewAnswer.Refused(RenewAnswer.Reason.TOO_OFTEN));
    }

    @Test
    void aWarningIsInTheHistory() {
        submit(Specs.warned(TimeSpan.parse("60s"), new Warning(TimeSpan.parse("59900ms"), WarningSignal.SIGUSR1)));

        awaitLast("WarningSent");

        RunEvent.WarningSent sent = (RunEvent.WarningSent) events().get(events().size() - 1);
        assertThat(sent.signal()).isEqualTo(WarningSignal.SIGUSR1);
        assertThat(sent.wallClock()).isEqualTo(TimeSpan.parse("1m"));
    }

    private RunState.Existing renewed(String wallClock) {
        renew(wallClock, soon);
        return ((RenewAnswer.Renewed) renewals.receiveMessage()).run();
    }

    private void renew(String wallClock, Instant until) {
        run.tell(new Run.Renew(
                Principal.LOCAL_OPERATOR,
                ORIGIN,
                new Renewal(TimeSpan.parse(wallClock), TimeSpan.parse("24h")),
                until,
                renewals.ref()));
    }

    @Test
    void aKillStandsInTheHistoryWithItsAlarmAndMeasuredValue() {
        submit(Specs.spec(new TimeSpan(Duration.ofMillis(60)), NodeLossPolicy.RESTART, 3));

        awaitLast("RunKilled");
        RunEvent.RunKilled killed = (RunEvent.RunKilled) events().get(events().size() - 1);
        assertThat(killed.reason()).isEqualTo(KillReason.WALL_CLOCK);
        assertThat(killed.measurement())
                .hasValueSatisfying(measured -> assertThat(measured.measured()).isGreaterThanOrEqualTo(60));
        // The deadline raises a warning before it is reached.
        assertThat(eventNames())
                .startsWith("RunSubmitted", "AttemptStarting", "AttemptStarted", "AlarmRaised")
                .endsWith("AlarmRaised", "RunKilled");
    }

    @Test
    void aDrainedRunIsInterruptedAndStartsNoAttempt() {
        submit(Specs.hello());
        awaitStarted(1);
        drain.begin(Principal.LOCAL_OPERATOR);

        liveSandboxes.stopAll(KillReason.DRAINED);

        awaitLast("AttemptInterrupted");
        assertThat(events()).last().isInstanceOfSatisfying(RunEvent.AttemptInterrupted.class, interrupted -> assertThat(
                        interrupted.by())
                .contains(Principal.LOCAL_OPERATOR));
        assertThat(driver.live()).isEmpty();
    }

    /** It has nothing to decide until its next owner takes it up; deciding all the same kept a processor busy. */
    @Test
    void aDrainedRunWaitsForItsNextOwnerInSilence() {
        submit(Specs.hello());
        awaitStarted(1);
        TestProbe<Progress> watcher = KIT.createTestProbe(Progress.class);
        run.tell(new Run.Watch(watcher.ref(), Interest.OUTPUT));
        drain.begin(Principal.LOCAL_OPERATOR);

        liveSandboxes.stopAll(KillReason.DRAINED);

        awaitLast("AttemptInterrupted");
        Awaitility.await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> watcher.expectNoMessage(QUIET));
        assertThat(slots.position(id)).isPresent();
    }

    @Test
    void theKeyOfItsSecretsIsDestroyedWhenARunEnds() {
        submit(Specs.withSecrets("KEY"));
        awaitStarted(1);

        driver.emit(new GuestFrame.Exited(1, 1));

        awaitLast("RunFailed");
        Awaitility.await().untilAsserted(() -> assertThat(store.shredded()).contains(id));
    }

    @Test
    void noKeyIsDestroyedForARunWithoutSecrets() {
        submit(Specs.hello());
        awaitStarted(1);

        driver.emit(new GuestFrame.Exited(1, 0));

        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(store.shredded()).isEmpty();
    }

    @Test
    void aWatcherIsNotifiedOfEveryStepAndOfTheEnd() {
        TestProbe<Progress> watcher = KIT.createTestProbe(Progress.class);
        submit(Specs.hello());
        run.tell(new Run.Watch(watcher.ref(), Interest.OUTPUT));
        awaitStarted(1);

        print("hello");
        Awaitility.await().until(() -> watcher.receiveMessage().outputEnd().equals(OptionalLong.of(5)));
        driver.emit(new GuestFrame.Exited(1, 0));

        Awaitility.await().until(() -> watcher.receiveMessage().equals(ended(4, 5)));
    }

    @Test
    void outputThatHasBeenStoredComesWithTheProgress() {
        TestProbe<Progress> reader = KIT.createTestProbe(Progress.class);
        TestProbe<Progress> other = KIT.createTestProbe(Progress.class);
        submit(Specs.hello());
        awaitStarted(1);
        run.tell(new Run.Watch(reader.ref(), Interest.OUTPUT));

        print("hello");

        Progress progress = progressTo(5, reader);
        assertThat(progress.output()).extracting(OutputChunk::offset).containsExactly(0L);
        assertThat(progress.output().get(0).data()).isEqualTo(Blob.ofUtf8("hello"));
        run.tell(new Run.Watch(other.ref(), Interest.EVENTS));
        assertThat(progressTo(5, other).output()).isEmpty();

        print("x".repeat(50));

        assertThat(progressTo(55, reader).output())
                .as("more than is sent along")
                .isEmpty();
        other.expectNoMessage(QUIET);
    }

    /** The store has dropped it: a later attempt has begun elsewhere, or an earlier try has stored it. */
    @Test
    void outputThatTheStoreMayNotHaveIsNotSentAlong() {
        TestProbe<Progress> reader = KIT.createTestProbe(Progress.class);
        submit(Specs.hello());
        awaitStarted(1);
        run.tell(new Run.Watch(reader.ref(), Interest.OUTPUT));
        store.fence();

        print("zombie");

        assertThat(progressTo(6, reader).output()).isEmpty();
        assertThat(store.printed()).isEmpty();
    }

    /** The next progress that ends there; how many others come before depends on the timing. */
    private static Progress progressTo(long end, TestProbe<Progress> watcher) {
        Progress progress = watcher.receiveMessage();
        while (!progress.outputEnd().equals(OptionalLong.of(end))) {
            progress = watcher.receiveMessage();
        }
        return progress;
    }

    private void print(String text) {
        driver.emit(new GuestFrame.Output(1, dev.vivarium.protocol.guest.NodeFrame.Stream.STDOUT, Blob.ofUtf8(text)));
    }

    @Test
    void aWatcherIsAnsweredEvenIfTheEntityStopsBeforeTheStoreAnswers() {
        submit(Specs.hello());
        awaitStarted(1);
        driver.emit(new GuestFrame.Exited(1, 0));
        awaitEvents("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");
        CompletableFuture<Done> slowStore = new CompletableFuture<>();
        store.holdEnd(slowStore);
        TestProbe<Progress> watcher = KIT.createTestProbe(Progress.class);

        run.tell(new Run.Watch(watcher.ref(), Interest.EVENTS));
        run.tell(Run.Leave.INSTANCE);
        watcher.expectTerminated(run);
        slowStore.complete(Done.getInstance());

        watcher.expectMessage(ended(4, 0));
    }

    private static Progress ended(long seq, long outputEnd) {
        return new Progress(seq, OptionalLong.of(outputEnd), Progress.Life.ENDED);
    }

    @Test
    void aProgressOfTheVersionBeforeCanBeRead() throws IOException {
        ObjectMapper mapper =
                JacksonObjectMapperProvider.get(KIT.system()).getOrCreate("jackson-cbor", Optional.empty());
        byte[] old = mapper.writeValueAsBytes(Map.of("seq", 4, "outputEnd", 5, "life", "ENDED"));

        assertThat(mapper.readValue(old, Progress.class)).isEqualTo(ended(4, 5));
    }

    @Test
    void messagesBetweenNodesCanBeSerialized() {
        SerializationTestKit serialization = KIT.serializationTestKit();
        submit(Specs.hello());
        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));
        CancelAnswer.Noted cancellation = (CancelAnswer.Noted) cancelled.receiveMessage();

        serialization.verifySerialization(
                new Run.Submit(
                        Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()),
                true);
        serialization.verifySerialization(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()), true);
        serialization.verifySerialization(cancellation, true);
        serialization.verifySerialization(new CancelAnswer.NoSuchRun(), true);
        RunState renewed = cancellation
                .run()
                .after(new RunEvent.DeadlineMoved(
                        Instant.EPOCH,
                        "node-1",
                        Principal.LOCAL_OPERATOR,
                        TimeSpan.parse("1m"),
                        TimeSpan.parse("10m"),
                        TimeSpan.parse("1m"),
                        Optional.empty()));
        List.of(
                        new Run.Renew(
                                Principal.LOCAL_OPERATOR,
                                ORIGIN,
                                new Renewal(TimeSpan.parse("10m"), TimeSpan.parse("24h")),
                                soon,
                                renewals.ref()),
                        new RenewAnswer.Renewed((RunState.Existing) renewed),
                        new RenewAnswer.Refused(RenewAnswer.Reason.ENDING),
                        new RenewAnswer.NoSuchRun())
                .forEach(message -> serialization.verifySerialization(message, true));
        List.of(
                        new SubmitAnswer.Accepted(cancellation.run()),
                        new SubmitAnswer.AcceptedBefore(cancellation.run()),
                        new SubmitAnswer.OtherSubmission(id),
                        new SubmitAnswer.Draining(),
                        new SubmitAnswer.Full(40),
                        new SubmitAnswer.TenantFull(new Tenant("blue")),
                        new SubmitAnswer.OverQuota(new QuotaExcess(new Tenant("blue"), Quota.CPU, 3, 2, 2)),
                        new SubmitAnswer.TooLarge(ONE_SLOT),
                        new SubmitAnswer.NotDurable())
                .forEach(answer -> serialization.verifySerialization(answer, true));
        serialization.verifySerialization(ended(4, 5), true);
        OutputChunk chunk =
                new OutputChunk(1, ProcessId.COMMAND, Stream.STDERR, 5, Instant.EPOCH, Blob.of(new byte[] {0, -1}));
        serialization.verifySerialization(
                new Progress(4, OptionalLong.empty(), Progress.Life.LIVE, List.of(chunk)), true);
        serialization.verifySerialization(
                new Run.Watch(KIT.createTestProbe(Progress.class).ref(), Interest.OUTPUT), true);
        serialization.verifySerialization(Run.Leave.INSTANCE, true);
        serialization.verifySerialization(new Run.PositionAnswer(Optional.of(new QueueView(3, 7))), true);
        TestProbe<LoadReporter.Released> released = KIT.createTestProbe(LoadReporter.Released.class);
        TestProbe<LoadReporter.Release> releases = KIT.createTestProbe(LoadReporter.Release.class);
        serialization.verifySerialization(
                new LoadReporter.Release(Set.of("1"), ShardRelease.Which.ALL, released.ref()), true);
        serialization.verifySerialization(new LoadReporter.Released(Set.of("1")), true);
        NodeLoad load = new NodeLoad(
                "a",
                "a",
                ONE_SLOT,
                Capacity.NONE,
                1,
                2,
                NodeView.Intake.OPEN,
                Set.of("1"),
                Optional.empty(),
                List.of(new TenantLoad(Tenant.DEFAULT, new TenantUse(1, 1, 64, 500, 8, 1024, 0, 0))));
        serialization.verifySerialization(new LoadReporter.Report(load, releases.ref()), true);
    }

    @Test
    void aNodeWithoutAFreshLeaseTakesOverNoRuns() {
        submit(Specs.hello());
        awaitStarted(1);
        lease = NodeLease.of(Duration.ofMinutes(1), NodeClock.system());

        crash();

        Awaitility.await()
                .during(Duration.ofMillis(700))
                .until(() -> eventNames().size() == 3);
        lease.renew(System.nanoTime());
        awaitStarted(2);
    }

    @Test
    void theNextAttemptWaitsUntilTheLostOneHasCertainlyEnded() {
        submit(Specs.hello());
        awaitStarted(1);
        Duration wait = Duration.ofSeconds(1);
        takeoverWait = TakeoverWait.of(wait, NodeClock.system());
        long lost = System.nanoTime();

        crash();

        awaitLast("AttemptInterrupted");
        awaitStarted(2);
        assertThat(Duration.ofNanos(System.nanoTime() - lost)).isGreaterThanOrEqualTo(wait);
    }

    @Test
    void aRunRefusedForLackOfRoomWritesNothing() {
        KIT.stop(run);
        slots = slots(0, 0);
        run = entity();

        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));

        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.Full.class);
        assertThat(eventNames()).isEmpty();
        shard.expectMessageClass(ClusterSharding.Passivate.class);
    }

    @Test
    void aRunWithoutAFreeSlotWaitsForItsTurn() {
        occupied();

        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));

        assertThat(accepted(submitted.receiveMessage()).status()).isEqualTo(RunStatus.QUEUED);
        awaitEvents("RunSubmitted", "RunQueued");
        TestProbe<Run.PositionAnswer> asked = KIT.createTestProbe(Run.PositionAnswer.class);
        run.tell(new Run.AskPosition(asked.ref()));
        assertThat(asked.receiveMessage().position()).contains(new QueueView(1, 1));
        assertThat(driver.claims()).isEmpty();

        slots.leave(OTHER);

        awaitStarted(1);
        run.tell(new Run.AskPosition(asked.ref()));
        assertThat(asked.receiveMessage().position()).isEmpty();
    }

    @Test
    void aWaitingRunCanBeCancelledAndLeavesTheQueue() {
        occupied();
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        submitted.receiveMessage();

        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));

        assertThat(noted(cancelled.receiveMessage()).status()).isEqualTo(RunStatus.CANCELLED);
        awaitEvents("RunSubmitted", "RunQueued", "CancelRequested", "RunCancelled");
        assertThat(slots.waiting()).isZero();
        slots.leave(OTHER);
        assertThat(driver.claims()).isEmpty();
    }

    @Test
    void aWaitingRunKeepsWaitingAfterItIsRecoveredElsewhere() {
        occupied();
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        submitted.receiveMessage();

        crash();
        Awaitility.await().until(() -> slots.waiting() == 1);
        assertThat(eventNames()).containsExactly("RunSubmitted", "RunQueued");

        slots.leave(OTHER);
        awaitStarted(1);
    }

    @Test
    void aRunThatLostItsSandboxWaitsForASlotToo() {
        submit(Specs.hello());
        awaitStarted(1);
        KIT.stop(run);
        slots = slots(1, 0);
        slots.claim(other());
        run = entity();

        awaitLast("AttemptInterrupted");
        Awaitility.await().until(() -> slots.waiting() == 1);
        assertThat(driver.live()).isEmpty();

        slots.leave(OTHER);
        awaitStarted(2);
    }

    @Test
    void aWaitingRunIsNotStartedWhileTheNodeDrains() {
        occupied();
        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        submitted.receiveMessage();

        drain.begin();
        slots.leave(OTHER);
        run.tell(new Run.Cancel(Principal.LOCAL_OPERATOR, ORIGIN, cancelled.ref()));

        cancelled.receiveMessage();
        awaitEvents("RunSubmitted", "RunQueued", "CancelRequested", "RunCancelled");
        assertThat(driver.claims()).isEmpty();
    }

    @Test
    void aTenantAtItsLimitOfWaitingRunsIsRefusedWithThatReason() {
        KIT.stop(run);
        slots = new NodeSlots(ONE_SLOT, 5, 0, drain, System::nanoTime, QuotaCheck.NONE);
        slots.claim(other());
        run = entity();

        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));

        assertThat(submitted.receiveMessage()).isInstanceOf(SubmitAnswer.TenantFull.class);
        assertThat(eventNames()).isEmpty();
    }

    @Test
    void aRunThatWouldPutItsTenantOverAQuotaIsRefusedAndWritesNothing() {
        KIT.stop(run);
        slots = new NodeSlots(
                ONE_SLOT,
                5,
                5,
                drain,
                System::nanoTime,
                new QuotaCheck(tenant -> new Quotas(Map.of(Quota.PIDS, 1L)), tenant -> TenantUse.NONE));
        run = entity();

        run.tell(new Run.Submit(
                Principal.LOCAL_OPERATOR, ORIGIN, Specs.hello(), DIGEST, WhenFull.QUEUE, soon, submitted.ref()));

        assertThat(submitted.receiveMessage()).isInstanceOfSatisfying(SubmitAnswer.OverQuota.class, over -> assertThat(
                        over.excess().quota())
                .isEqualTo(Quota.PIDS));
        assertThat(eventNames()).isEmpty();
    }

    private static final Optional<Origin> ORIGIN = Optional.of(
            new Origin(new Tenant("blue"), Optional.of(new TokenId("0123456789abcdef")), Optional.of("192.0.2.7")));

    private static final RunId OTHER = new RunId("01j0000000000000000000000a");
    private static final Capacity ONE_SLOT = new Capacity(1, Capacity.UNLIMITED, Capacity.UNLIMITED);

    /** The node's only slot is taken by another run. */
    private void occupied() {
        KIT.stop(run);
        slots = slots(1, 10);
        slots.claim(other());
        run = entity();
    }

    private static NodeSlots.Claim other() {
        return new NodeSlots.Claim(
                OTHER,
                new Tenant("other"),
                new Capacity(1, 0, 0),
                TenantUse.NONE,
                NodeSlots.Seniority.NEW,
                Instant.EPOCH,
                "0",
                () -> {});
    }

    private NodeSlots slots(int runs, int waiting) {
        return new NodeSlots(
                new Capacity(runs, Capacity.UNLIMITED, Capacity.UNLIMITED),
                waiting,
                waiting,
                drain,
                System::nanoTime,
                QuotaCheck.NONE);
    }

    private static final Duration QUIET = Duration.ofMillis(200);
    private static final int PUSH_BYTES_MAX = 160;
    private static final int RENEWALS_MAX = 3;

    private NodeLease lease = NodeLease.endless();
    private TakeoverWait takeoverWait = TakeoverWait.none();

    private final LiveSandboxes liveSandboxes = new LiveSandboxes();

    private ActorRef<Run.Command> entity() {
        SandboxEnvironment sandbox =
                SandboxEnvironment.of(driver.sandboxes(), store, liveSandboxes, lease, CONFIG, NodeClock.system());
        return KIT.spawn(Run.create(
                id,
                new RunEnvironment(
                        "node-1",
                        sandbox,
                        slots,
                        new NodeLoads(System::nanoTime),
                        takeoverWait,
                        drain,
                        new RunMetrics(new SimpleMeterRegistry(), slots),
                        PUSH_BYTES_MAX,
                        RENEWALS_MAX,
                        Long.MAX_VALUE),
                shard.ref(),
                "7"));
    }

    /** Stops the entity with everything it owns; another one recovers from the journal. */
    private void crash() {
        KIT.stop(run);
        run = entity();
    }

    private void submit(RunSpec spec) {
        run.tell(new Run.Submit(Principal.LOCAL_OPERATOR, ORIGIN, spec, DIGEST, WhenFull.QUEUE, soon, submitted.ref()));
        SubmitAnswer answer = submitted.receiveMessage();
        assertThat(accepted(answer).status()).isEqualTo(RunStatus.STARTING);
    }

    private static RunState.Existing accepted(SubmitAnswer answer) {
        return ((SubmitAnswer.Accepted) answer).run();
    }

    private static RunState.Existing noted(CancelAnswer answer) {
        return ((CancelAnswer.Noted) answer).run();
    }

    private void awaitStarted(int attempt) {
        Awaitility.await().untilAsserted(() -> assertThat(events())
                .anyMatch(event -> event instanceof RunEvent.AttemptStarted started && started.attempt() == attempt));
    }

    private void awaitLast(String name) {
        Awaitility.await().untilAsserted(() -> assertThat(eventNames()).endsWith(name));
    }

    private void awaitEvents(String... names) {
        Awaitility.await().untilAsserted(() -> assertThat(eventNames()).containsExactly(names));
    }

    private List<String> eventNames() {
        return events().stream().map(event -> event.getClass().getSimpleName()).toList();
    }

    private List<RunEvent> events() {
        return entries().stream().map(EventCodec.standard()::decode).toList();
    }

    private List<JournalEntry> entries() {
        return JOURNAL.persistedInStorage(RunPersistenceId.of(id).id()).stream()
                .map(JournalEntry.class::cast)
                .toList();
    }
}
