package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.pool.PoolKind;
import dev.vivarium.node.pool.Waiting;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.node.sandbox.SandboxReport.RenewalRefusal;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.SecretVersion;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.WarningSignal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Decisions of the Sandbox actor, with a guest that the test plays. The actor runs on its sender's thread, and the test
 * advances the time: whatever has not happened when a call returns needs more time, or another message.
 */
class SandboxTest {
    private static final Config CONFIG = ConfigFactory.parseString(
                    """
            pekko.actor.provider = local
            vivarium.sandbox { sample-interval = 20ms, kill-confirm = 50ms, store-retry = 20ms, engine-retry = 20ms,
              engine-wait = 200ms, soft-grace = 100ms, unmeasured-max = 60ms,
              output-rate { alarm = 80, window = 1s } }
            """)
            .withFallback(ConfigFactory.load());
    private static final ActorTestKit KIT =
            ActorTestKit.create("sandbox", StepScheduler.config().withFallback(CONFIG));
    private static final Props ON_THE_SENDERS_THREAD =
            DispatcherSelector.fromConfig("pekko.test.calling-thread-dispatcher");
    private static final SandboxSettings SETTINGS = SandboxSettings.from(CONFIG);
    private static final AttemptName FIRST = new AttemptName(new RunId("01hzzzzzzzzzzzzzzzzzzzzzzz"), 1);

    private static final SandboxId OTHER = new SandboxId("01hxxxxxxxxxxxxxxxxxxxxxxx");

    private final SetClock clock = new SetClock();
    private final ScriptedDriver driver = new ScriptedDriver();
    private final NodeSandboxes sandboxes = driver.sandboxes();
    private final MemoryStore store = new MemoryStore();
    private final LiveSandboxes live = new LiveSandboxes();
    private final RemovalQueue removals = new RemovalQueue(1, clock);
    private final TestProbe<SandboxReport> run = KIT.createTestProbe(SandboxReport.class);

    @AfterAll
    static void stopKit() {
        KIT.shutdownTestKit();
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(driver.live()).isEmpty();
        assertThat(live.count()).isZero();
    }

    @Test
    void anExitIsReportedAfterTheSandboxIsGoneAndTheOutputStored() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("hello\n")));
        driver.emit(new GuestFrame.Exited(1, 3));

        SandboxReport.Ended ended = ended();
        assertThat(ended.outcome()).isEqualTo(new Outcome.Exited(3));
        assertThat(ended.usage().get(Limit.OUTPUT)).isEqualTo(6);
        assertThat(store.printed()).isEqualTo("hello\n");
        assertThat(driver.destroyed()).hasSize(1);
    }

    @Test
    void filesAreWrittenAndTheGuestsClockIsArmedBeforeTheAgentStarts() {
        start(FIRST, Specs.withFile());
        run.expectMessageClass(SandboxReport.Started.class);

        assertThat(driver.sent().subList(0, 3).stream().map(NodeFrame::getClass).toList())
                .isEqualTo(List.of(NodeFrame.WriteFile.class, NodeFrame.Arm.class, NodeFrame.Spawn.class));
        assertThat(((NodeFrame.Arm) driver.sent().get(1)).deadlineMillis()).isEqualTo(62_025);
        assertThat(((NodeFrame.Spawn) driver.sent().get(2)).env())
                .containsEntry("A", "1")
                .containsEntry("VIVARIUM_RUN_ID", FIRST.run().value());
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void injectedSecretsGoToTheNetworkAndNeverToTheAgent() {
        String ofTheNetwork = "sk-for-requests-only";
        store.haveSecrets(Map.of("API_KEY", ofTheNetwork, "TOKEN", "for-the-agent"));
        start(FIRST, Specs.injecting("api.example.com", "API_KEY", "TOKEN"));
        run.expectMessageClass(SandboxReport.Started.class);

        SandboxId sandbox = driver.live().iterator().next();
        assertThat(driver.network().entrusted()).isEqualTo(Map.of(sandbox, Map.of("API_KEY", ofTheNetwork)));
        assertThat(driver.sent())
                .filteredOn(NodeFrame.Spawn.class::isInstance)
                .singleElement()
                .satisfies(spawn -> assertThat(((NodeFrame.Spawn) spawn).env())
                        .containsEntry("TOKEN", "for-the-agent")
                        .doesNotContainKey("API_KEY"));
        assertThat(onTheWire()).contains("for-the-agent").doesNotContain(ofTheNetwork);
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void aNetworkGetsNoSecretsWhenAllAreTheAgents() {
        store.haveSecrets(Map.of("TOKEN", "for-the-agent"));
        start(FIRST, Specs.withSecrets("TOKEN"));
        run.expectMessageClass(SandboxReport.Started.class);

        assertThat(driver.network().entrusted()).isEmpty();
        assertThat(onTheWire()).contains("for-the-agent");
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void secretsOfTheTenantAreGivenAsTheRunsOwnAreAndItIsReportedWhich() {
        RunSpec spec = Specs.naming(Map.of("API_KEY", "of-requests", "TOKEN", "git-token"));
        store.tenantsSecrets().put(spec.tenant(), "of-requests", "sk-for-requests-only");
        store.tenantsSecrets().put(spec.tenant(), "git-token", "for-the-agent");
        start(FIRST, spec);

        assertThat(run.expectMessageClass(SandboxReport.SecretsUsed.class).secrets())
                .containsExactly(
                        new SecretVersion(new SecretName("git-token"), 1),
                        new SecretVersion(new SecretName("of-requests"), 1));
        run.expectMessageClass(SandboxReport.Started.class);
        assertThat(driver.network().entrusted().values()).containsExactly(Map.of("API_KEY", "sk-for-requests-only"));
        assertThat(onTheWire()).contains("for-the-agent").doesNotContain("sk-for-requests-only");
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void aSecretOfTheTenantThatWasRemovedMeanwhileEndsTheRunAndSaysSo() {
        RunSpec spec = Specs.naming(Map.of("API_KEY", "of-requests", "TOKEN", "git-token"));
        store.tenantsSecrets().put(spec.tenant(), "of-requests", "sk");
        start(FIRST, spec);

        assertThat(ended().outcome())
                .isEqualTo(new Outcome.NotStarted(new StartFailure(
                        StartFailure.Kind.SECRET_REMOVED,
                        "The tenant has no secret git-token any more: put it again with `vivarium secret put git-token`,"
                                + " and submit the run again.")));
        assertThat(driver.network().entrusted()).isEmpty();
    }

    @Test
    void aSecretOfTheTenantThatNoHeaderCanCarryIsPutIntoNone() {
        RunSpec spec = Specs.naming(Map.of("API_KEY", "of-requests"));
        store.tenantsSecrets().put(spec.tenant(), "of-requests", "sk\r\nX-Forged: 1");
        start(FIRST, spec);

        run.expectMessageClass(SandboxReport.SecretsUsed.class);
        assertThat(ended().outcome()).isInstanceOfSatisfying(Outcome.NotStarted.class, notStarted -> {
            assertThat(notStarted.failure().kind()).isEqualTo(StartFailure.Kind.SECRETS_UNAVAILABLE);
            assertThat(notStarted.failure().message())
                    .contains("No header can carry the secret of-requests")
                    .doesNotContain("Forged");
        });
        assertThat(driver.network().entrusted()).isEmpty();
    }

    /** Everything sent to the guest so far. */
    private String onTheWire() {
        StringBuilder wire = new StringBuilder();
        driver.sent().forEach(frame -> wire.append(StandardCharsets.ISO_8859_1.decode(GuestCodec.encode(frame))));
        return wire.toString();
    }

    @Test
    void anOversizedEnvironmentStartsNoAgentAndIsReportedInASentence() {
        driver.setImageEnvironment(Map.of("HUGE", "x".repeat(2 << 20)));
        start(FIRST, Specs.hello());

        assertThat(ended().outcome())
                .isInstanceOfSatisfying(Outcome.NotStarted.class, notStarted -> assertThat(notStarted.failure())
                        .isEqualTo(new StartFailure(
                                StartFailure.Kind.SANDBOX_REFUSED,
                                "Arguments and environment together are more than the kernel takes: pass large data as"
                                        + " files.")));
    }

    @Test
    void anAgentWhoseKernelIsKilledForMemoryIsReportedAsKilledForMemory() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.hangUp(ChannelListener.Cause.OUT_OF_MEMORY);

        assertThat(ended().outcome()).isInstanceOfSatisfying(Outcome.Killed.class, killed -> {
            assertThat(killed.reason()).isEqualTo(KillReason.MEMORY);
            assertThat(killed.measurement().orElseThrow().limit())
                    .isEqualTo(Specs.hello().limits().get(Limit.MEMORY).bytes());
        });
    }

    @Test
    void theGuestsCountOfProcessesIsUsedWhereTheHostCannotCount() {
        int limit = Math.toIntExact(Specs.hello().limits().get(Limit.PIDS));
        start(FIRST, Specs.isolatedBy(Isolation.GVISOR));
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(processes(limit));
        driver.emit(processes(limit + 1));

        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.PIDS, Optional.of(Measurement.count(limit + 1L, limit))));
    }

    private static GuestFrame processes(long count) {
        return new GuestFrame.Use(Limit.PIDS, count, GuestFrame.Pressure.NONE);
    }

    @Test
    void theGuestsCountOfProcessesIsIgnoredOnASharedKernel() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(processes(1_000_000));
        driver.emit(new GuestFrame.Exited(1, 0));

        assertThat(ended().outcome()).isEqualTo(new Outcome.Exited(0));
    }

    @Test
    void theDeadlineKillsWithTheMeasuredTime() {
        start(FIRST, Specs.spec(new TimeSpan(Duration.ofMillis(80)), NodeLossPolicy.FAIL, 1));
        run.expectMessageClass(SandboxReport.Started.class);

        pass(Duration.ofMillis(79));
        assertThat(driver.sent()).noneMatch(NodeFrame.KillAll.class::isInstance);
        pass(Duration.ofMillis(1));

        List<SandboxReport> reports = reportsToTheEnd();
        SandboxReport.Alarm alarm = alarms(reports, Consequence.KILL).get(0);
        assertThat(alarm.reason()).isEqualTo(KillReason.WALL_CLOCK);
        assertThat(alarm.measurement()).isEqualTo(Measurement.millis(80, 80));
        assertThat(ended(reports).outcome())
                .isInstanceOfSatisfying(Outcome.Killed.class, killed -> assertThat(killed.reason())
                        .isEqualTo(KillReason.WALL_CLOCK));
    }

    @Test
    void aSandboxWhoseGuestDoesNotConfirmAKillIsDestroyed() {
        driver.behave(ScriptedDriver.Manners.DEAF_AFTER_START);
        start(FIRST, Specs.spec(new TimeSpan(Duration.ofMillis(30)), NodeLossPolicy.FAIL, 1));
        run.expectMessageClass(SandboxReport.Started.class);
        pass(Duration.ofMillis(30).plus(SETTINGS.hardGrace()).plus(SETTINGS.killConfirm()));

        assertThat(ended().outcome()).isInstanceOf(Outcome.Killed.class);
        assertThat(driver.destroyed()).hasSize(1);
    }

    @Test
    void aFloodIsCutOffAtTheLimitAndKilled() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("x".repeat(150))));

        SandboxReport.Ended ended = ended();
        assertThat(ended.outcome()).isInstanceOfSatisfying(Outcome.Killed.class, killed -> assertThat(killed.reason())
                .isEqualTo(KillReason.OUTPUT));
        assertThat(store.printed()).hasSize(100);
        assertThat(driver.sent())
                .as("credit covers the discarded output as well, so that the agent is not blocked")
                .contains(new NodeFrame.Credit(1, NodeFrame.Stream.STDOUT, 150));
    }

    @Test
    void theLimitOfOutputHoldsForAllAttemptsOfARunTogether() {
        store.append(
                FIRST.run(),
                List.of(new OutputChunk(
                        1,
                        ProcessId.COMMAND,
                        OutputChunkView.Stream.STDOUT,
                        0,
                        clock.now(),
                        Blob.ofUtf8("x".repeat(60)))));
        start(new AttemptName(FIRST.run(), 2), Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("y".repeat(40))));
        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("z".repeat(10))));

        SandboxReport.Ended ended = ended();
        assertThat(ended.outcome())
                .isEqualTo(new Outcome.Killed(KillReason.OUTPUT, Optional.of(Measurement.bytes(110, 100))));
        assertThat(store.printed()).isEqualTo("x".repeat(60) + "y".repeat(40));
        assertThat(ended.usage().get(Limit.OUTPUT)).isEqualTo(40);
    }

    @Test
    void outputOfUnknownProcessesIsIgnored() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(new GuestFrame.Output(2, NodeFrame.Stream.STDOUT, Blob.ofUtf8("who?")));
        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("agent")));
        driver.emit(new GuestFrame.Exited(2, 9));
        driver.emit(new GuestFrame.Exited(1, 0));

        assertThat(ended().outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(store.printed()).isEqualTo("agent");
    }

    @Test
    void nearingALimitIsNotedOnceHoweverOftenItHappens() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        for (int round = 0; round < 50; round++) {
            driver.emit(new GuestFrame.Use(Limit.DISK, 31L << 20, GuestFrame.Pressure.NONE));
            driver.emit(new GuestFrame.Use(Limit.DISK, 1L << 20, GuestFrame.Pressure.NONE));
        }
        driver.emit(new GuestFrame.Exited(1, 0));

        List<SandboxReport> reports = reportsToTheEnd();
        assertThat(alarms(reports, Consequence.NOTED))
                .extracting(SandboxReport.Alarm::measurement)
                .containsExactly(Measurement.bytes(31L << 20, 32L << 20));
        assertThat(ended(reports).outcome()).isEqualTo(new Outcome.Exited(0));
    }

    @Test
    void anAlarmAtTheExitIsReportedBeforeTheEnd() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.use(new SandboxSample(59_000, 1 << 20, 0, 1 << 20, 2, 32, 0, 0));
        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("x".repeat(95))));
        driver.emit(new GuestFrame.Exited(1, 0));

        List<SandboxReport> reports = reportsToTheEnd();
        assertThat(alarms(reports, Consequence.NOTED))
                .extracting(SandboxReport.Alarm::reason)
                .as("total output, and its rate")
                .containsExactlyInAnyOrder(KillReason.CPU_TIME, KillReason.PIDS, KillReason.OUTPUT, KillReason.OUTPUT);
        assertThat(ended(reports).outcome()).isEqualTo(new Outcome.Exited(0));
    }

    @Test
    void anExitCausedByALimitRaisesTheAlarmOfAKill() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.use(new SandboxSample(5, 1 << 20, 0, 1 << 20, 2, 2, 0, 3));
        driver.emit(new GuestFrame.Exited(1, 1));

        assertThat(alarms(reportsToTheEnd(), Consequence.KILL))
                .extracting(SandboxReport.Alarm::reason, SandboxReport.Alarm::measurement)
                .containsExactly(tuple(KillReason.PIDS, Measurement.count(32, 32)));
    }

    @Test
    void outputThatIsTooFastIsNotedAndTheRunContinues() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("x".repeat(81))));
        driver.emit(new GuestFrame.Exited(1, 0));

        List<SandboxReport> reports = reportsToTheEnd();
        assertThat(alarms(reports, Consequence.NOTED))
                .extracting(SandboxReport.Alarm::reason, SandboxReport.Alarm::measurement)
                .containsExactly(tuple(KillReason.OUTPUT, Measurement.bytesPerSecond(81, 80)));
        assertThat(ended(reports).outcome()).isEqualTo(new Outcome.Exited(0));
    }

    @Test
    void theUsageOfAKilledAgentIsMeasuredAfterItsLastProcess() {
        driver.onKill(new SandboxSample(777, 1 << 20, 0, 40 << 20, 1, 9, 0, 0));
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        stop(KillReason.CANCELLED);

        assertThat(ended().usage())
                .extracting(
                        used -> used.get(Limit.CPU_TIME), used -> used.get(Limit.MEMORY), used -> used.get(Limit.PIDS))
                .containsExactly(777L, 40L << 20, 8L);
    }

    @Test
    void anAgentThatNeverRanUsedNothing() {
        driver.failNextCreate(engineAway());
        start(FIRST, Specs.hello());

        stop(KillReason.CANCELLED);

        assertThat(ended().usage()).isEqualTo(Usage.NONE);
    }

    @Test
    void aSandboxLostBeforeItsAgentRanIsInterruptedDespiteItsDeadline() {
        // Creating it takes longer than the run's wall clock limit.
        driver.behave(ScriptedDriver.Manners.GONE_AFTER_GREETING);
        driver.failNextCreate(engineAway());

        start(FIRST, Specs.spec(new TimeSpan(Duration.ofMillis(1)), NodeLossPolicy.FAIL, 1));
        pass(SETTINGS.engineRetry());

        assertThat(ended().outcome()).isInstanceOf(Outcome.Interrupted.class);
    }

    @Test
    void anAgentThatCannotBeMeasuredContinuesAndIsLoggedOnce() {
        driver.failSamples(new DriverException(DriverException.Kind.SANDBOX_UNKNOWN, "Its files are gone."));
        LoggingTestKit.warn("could not be measured").withOccurrences(1).expect(KIT.system(), () -> {
            start(FIRST, Specs.hello());
            run.expectMessageClass(SandboxReport.Started.class);
            pass(SETTINGS.sampleInterval().multipliedBy(21));
            assertThat(driver.samplesFailed()).isEqualTo(21);
            driver.emit(new GuestFrame.Exited(1, 0));
            assertThat(ended().outcome()).isEqualTo(new Outcome.Exited(0));
            return null;
        });
    }

    @Test
    void anExitAfterAnOutOfMemoryKillIsAMemoryKill() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.use(new SandboxSample(5, 1 << 20, 0, 64 << 20, 1, 2, 1, 0));
        driver.emit(new GuestFrame.Signaled(1, 9));

        assertThat(ended().outcome()).isInstanceOfSatisfying(Outcome.Killed.class, killed -> assertThat(killed.reason())
                .isEqualTo(KillReason.MEMORY));
    }

    @Test
    void theAgentsOwnExitCodeOf137IsNoMemoryKill() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.emit(new GuestFrame.Exited(1, 137));

        assertThat(ended().outcome()).isEqualTo(new Outcome.Exited(137));
    }

    @Test
    void creationIsRetriedWhileTheEngineIsUnavailable() {
        driver.failNextCreate(new DriverException(DriverException.Kind.ENGINE_UNAVAILABLE, "away"));
        start(FIRST, Specs.hello());
        assertThat(driver.live()).isEmpty();

        pass(SETTINGS.engineRetry());

        run.expectMessageClass(SandboxReport.Started.class);
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void anEngineThatStaysUnavailableInterruptsTheAttempt() {
        for (int i = 0; i < 50; i++) {
            driver.failNextCreate(new DriverException(DriverException.Kind.ENGINE_UNAVAILABLE, "away"));
        }
        start(FIRST, Specs.hello());
        pass(SETTINGS.engineWait());

        assertThat(ended().outcome()).isEqualTo(new Outcome.Interrupted(Interruption.ENGINE_LOST, "away"));
    }

    @Test
    void aMissingImageEndsTheRunWithASentence() {
        driver.failNextCreate(new DriverException(DriverException.Kind.IMAGE_UNAVAILABLE, "There is no image x."));
        start(FIRST, Specs.hello());

        assertThat(ended().outcome())
                .isEqualTo(new Outcome.NotStarted(
                        new StartFailure(StartFailure.Kind.IMAGE_UNAVAILABLE, "There is no image x.")));
    }

    @Test
    void aLostChannelInterruptsTheAttempt() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.hangUp(ChannelListener.Cause.ENGINE_LOST);

        assertThat(ended().outcome()).isEqualTo(new Outcome.Interrupted(Interruption.ENGINE_LOST, "as scripted"));
    }

    @Test
    void aGuestThatEndsRightAfterItsGreetingInterruptsTheAttempt() {
        driver.behave(ScriptedDriver.Manners.GONE_AFTER_GREETING);

        start(FIRST, Specs.hello());

        assertThat(ended().outcome()).isInstanceOf(Outcome.Interrupted.class);
        assertThat(driver.destroyed()).hasSize(1);
    }

    @Test
    void aGuestThatViolatesTheProtocolIsKilledAndNotRetried() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        driver.hangUp(ChannelListener.Cause.PROTOCOL_VIOLATED);

        assertThat(ended().outcome()).isInstanceOfSatisfying(Outcome.Killed.class, killed -> assertThat(killed.reason())
                .isEqualTo(KillReason.OPERATOR));
    }

    @Test
    void outputSurvivesATemporaryOutageOfTheStore() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);
        store.failNextAppends(3);

        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("kept")));
        driver.emit(new GuestFrame.Exited(1, 0));
        assertThat(driver.destroyed()).hasSize(1);
        pass(SETTINGS.storeRetry().multipliedBy(3));

        assertThat(ended().outcome()).isEqualTo(new Outcome.Exited(0));
        assertThat(store.printed()).isEqualTo("kept");
    }

    @Test
    void outputRefusedByTheStoreIsKeptWhenTheChannelEndsBeforeTheRetry() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);
        store.failNextAppends(1);
        driver.emit(new GuestFrame.Output(1, NodeFrame.Stream.STDOUT, Blob.ofUtf8("kept")));

        driver.hangUp(ChannelListener.Cause.ENGINE_LOST);
        pass(SETTINGS.storeRetry());

        assertThat(ended().outcome()).isInstanceOf(Outcome.Interrupted.class);
        assertThat(store.printed()).isEqualTo("kept");
    }

    @Test
    void aRunCancelledDuringAnOutageOfTheEngineEndsImmediately() {
        for (int i = 0; i < 1_000; i++) {
            driver.failNextCreate(engineAway());
            driver.failNextDestroy(engineAway());
        }
        start(FIRST, Specs.hello());

        stop(KillReason.CANCELLED);

        assertThat(ended().outcome()).isEqualTo(new Outcome.Killed(KillReason.CANCELLED, Optional.empty()));
    }

    @Test
    void destroyIsRetriedUntilTheEngineIsBack() {
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);
        driver.failNextDestroy(engineAway());
        driver.failNextDestroy(engineAway());

        driver.hangUp(ChannelListener.Cause.ENGINE_LOST);
        assertThat(driver.destroyed()).isEmpty();
        pass(SETTINGS.engineRetry().multipliedBy(2));

        assertThat(ended().outcome()).isInstanceOf(Outcome.Interrupted.class);
        assertThat(driver.destroyed()).hasSize(1);
    }

    @Test
    void theNextAttemptWaitsUntilEarlierSandboxesAreDestroyed() {
        SandboxId left = new SandboxId("01hyyyyyyyyyyyyyyyyyyyyyyy");
        driver.leave(left);
        driver.claim(left, FIRST, environment().template(Specs.hello()));
        driver.failNextDestroy(engineAway());

        start(new AttemptName(FIRST.run(), 2), Specs.hello());
        assertThat(driver.sent()).isEmpty();
        pass(SETTINGS.engineRetry());

        run.expectMessageClass(SandboxReport.Started.class);
        assertThat(driver.destroyed()).containsExactly(left);
        stop(KillReason.CANCELLED);
        ended();
    }

    private static DriverException engineAway() {
        return new DriverException(DriverException.Kind.ENGINE_UNAVAILABLE, "It is away, as scripted.");
    }

    @Test
    void aStoppedActorDestroysItsSandbox() {
        ActorRef<Sandbox.Command> sandbox = start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        KIT.stop(sandbox);

        assertThat(driver.destroyed()).hasSize(1);
    }

    @Test
    void aSandboxSampledAsEmptyWaitsForAKillInProgress() {
        removals.killing(OTHER);
        driver.onKill(new SandboxSample(5, 1 << 20, 0, 1 << 20, 1, 2, 0, 0));
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        stop(KillReason.OPERATOR);

        assertThat(removals.waiting()).isEqualTo(1);
        assertThat(driver.destroyed()).isEmpty();
        removals.over(OTHER);
        ended();
    }

    @Test
    void aSandboxThatOnlyItsGuestReportsAsEmptyIsDestroyedImmediately() {
        removals.killing(OTHER);
        driver.onKill(new SandboxSample(5, 1 << 20, 0, 1 << 20, 2, 2, 0, 0));
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        stop(KillReason.OPERATOR);

        ended();
    }

    @Test
    void aSandboxThatCannotBeSampledIsDestroyedImmediately() {
        removals.killing(OTHER);
        driver.onKill(new SandboxSample(5, 1 << 20, 0, 1 << 20, 1, 2, 0, 0));
        start(FIRST, Specs.isolatedBy(Isolation.GVISOR));
        run.expectMessageClass(SandboxReport.Started.class);

        stop(KillReason.OPERATOR);

        ended();
    }

    @Test
    void aRemovalStopsWaitingAfterATimeout() {
        removals.killing(OTHER);
        driver.onKill(new SandboxSample(5, 1 << 20, 0, 1 << 20, 1, 2, 0, 0));
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        stop(KillReason.OPERATOR);

        pass(SETTINGS.removalWait().minusMillis(1));
        assertThat(driver.destroyed()).isEmpty();
        pass(Duration.ofMillis(1));
        ended();
    }

    @Test
    void aGuestIsRearmedToTheEndOfTheLeaseAtEachRenewal() {
        lease = NodeLease.of(Duration.ofSeconds(2), clock);
        lease.renew(clock.nanos());
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        pass(Duration.ofMillis(500));

        assertThat(arms()).containsExactly(new NodeFrame.Arm(2_000), new NodeFrame.Arm(1_500));
        lease.revoke();
        pass(Duration.ofSeconds(1));
        assertThat(arms()).hasSize(2);
        stop(KillReason.OPERATOR);
        ended();
    }

    @Test
    void aGuestIsRearmedSoonAfterALateRenewal() {
        lease = NodeLease.of(Duration.ofSeconds(4), clock);
        lease.renew(clock.nanos());
        start(FIRST, Specs.hello());
        run.expectMessageClass(SandboxReport.Started.class);

        pass(Duration.ofMillis(3_500));

        // At the usual interval between arms, its lease would have expired first.
        assertThat(arms()).hasSizeGreaterThan(10);
        assertThat(lease.remainingMillis()).isPositive();
        stop(KillReason.OPERATOR);
        ended();
    }

    @Test
    void noAgentIsStartedWithoutAFreshLease() {
        lease = NodeLease.of(Duration.ofSeconds(2), clock);

        start(FIRST, Specs.hello());

        SandboxReport.Ended ended = run.expectMessageClass(SandboxReport.Ended.class);
        assertThat(ended.outcome())
                .isInstanceOfSatisfying(
                        SandboxReport.Outcome.Interrupted.class,
                        interrupted -> assertThat(interrupted.cause()).isEqualTo(Interruption.NODE_LOST));
        assertThat(driver.sent()).noneMatch(NodeFrame.Spawn.class::isInstance);
    }

    @Test
    void anAttemptTakesASandboxThatWaits() {
        SandboxId waiting = Waiting.in(sandboxes.pool(), environment().template(Specs.hello()), PoolKind.Link.NONE);

        start(FIRST, Specs.hello());

        assertThat(run.expectMessageClass(SandboxReport.Started.class).sandbox())
                .isEqualTo(waiting.value());
        assertThat(driver.claims()).containsEntry(waiting, FIRST);
        assertThat(sandboxes.pool().owns(waiting)).isFalse();
        driver.emit(new GuestFrame.Exited(1, 0));
        assertThat(ended().outcome()).isEqualTo(new Outcome.Exited(0));
    }

    @Test
    void aNewSandboxServesWhereTheOneThatWaitedCannot() {
        SandboxId waiting = Waiting.in(sandboxes.pool(), environment().template(Specs.hello()), PoolKind.Link.NONE);
        driver.failNextClaim(new DriverException(DriverException.Kind.UNSUITED, "As scripted."));

        start(FIRST, Specs.hello());

        // Whoever watches sandboxes, or has one removed, must not take it for the first one.
        assertThat(run.expectMessageClass(SandboxReport.Started.class).sandbox())
                .isNotEqualTo(waiting.value());
        assertThat(driver.destroyed()).containsExactly(waiting);
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void aSandboxThatWaitedIsGoneWhenItsAttemptHasAnother() {
        SandboxId waiting = Waiting.in(sandboxes.pool(), environment().template(Specs.hello()), PoolKind.Link.NONE);
        driver.failNextClaim(new DriverException(DriverException.Kind.ATTEMPT_CLAIMED, "As scripted."));

        start(FIRST, Specs.hello());

        ended();
        assertThat(driver.destroyed()).contains(waiting);
    }

    @Test
    void aSandboxThatWaitedIsGoneWhenItGetsNoNetwork() {
        RunSpec spec = Specs.injecting("api.example.com", "API_KEY");
        driver.network().failNextAttach(new IllegalStateException("As scripted."));
        SandboxId waiting = Waiting.in(sandboxes.pool(), environment().template(spec), PoolKind.Link.NONE);

        start(FIRST, spec);

        assertThat(ended().outcome()).isInstanceOf(Outcome.NotStarted.class);
        assertThat(driver.destroyed()).contains(waiting);
    }

    // ---- renewal and warning

    @Test
    void aRenewedRunIsKilledOnTheDotAtItsNewDeadline() {
        startFor(80);
        pass(Duration.ofMillis(50));

        renew(1, 200);
        assertThat(renewal()).isInstanceOf(SandboxReport.Renewed.class);
        assertThat(arms()).containsExactly(new NodeFrame.Arm(2_105), new NodeFrame.Arm(2_175));
        pass(Duration.ofMillis(149));
        assertThat(driver.sent()).noneMatch(NodeFrame.KillAll.class::isInstance);
        pass(Duration.ofMillis(1));

        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.WALL_CLOCK, Optional.of(Measurement.millis(200, 200))));
    }

    @Test
    void aDeadlineCanBeBroughtForward() {
        startFor(80);
        pass(Duration.ofMillis(50));

        renew(1, 60);
        assertThat(renewal()).isInstanceOf(SandboxReport.Renewed.class);
        pass(Duration.ofMillis(9));
        assertThat(driver.sent()).noneMatch(NodeFrame.KillAll.class::isInstance);
        pass(Duration.ofMillis(1));

        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.WALL_CLOCK, Optional.of(Measurement.millis(60, 60))));
    }

    @Test
    void aDeadlineIsNotMovedToWhatHasPassed() {
        startFor(80);
        pass(Duration.ofMillis(50));

        renew(1, 50);

        assertThat(renewal()).isEqualTo(new SandboxReport.NotRenewed(1, 1, RenewalRefusal.ALREADY_PAST));
        assertThat(arms()).hasSize(1);
        pass(Duration.ofMillis(30));
        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.WALL_CLOCK, Optional.of(Measurement.millis(80, 80))));
    }

    @Test
    void aRenewalThatTheGuestDoesNotConfirmBeforeTheDeadlineIsTooLate() {
        driver.behave(ScriptedDriver.Manners.SLOW_TO_CONFIRM);
        startFor(80);
        pass(Duration.ofMillis(50));
        renew(1, 200);
        run.expectNoMessage(Duration.ZERO);

        pass(Duration.ofMillis(30));

        assertThat(renewal()).isEqualTo(new SandboxReport.NotRenewed(1, 1, RenewalRefusal.TOO_LATE));
        driver.emit(new GuestFrame.Pong(1));
        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.WALL_CLOCK, Optional.of(Measurement.millis(80, 80))));
    }

    /** The timer of the old deadline is due, and its message under way, when the guest confirms. */
    @Test
    void aConfirmationAfterTheDeadlineIsTooLateAndTheGuestGetsItsOldDeadlineBack() {
        driver.behave(ScriptedDriver.Manners.SLOW_TO_CONFIRM);
        startFor(80);
        pass(Duration.ofMillis(50));
        renew(1, 200);
        clock.advance(Duration.ofMillis(30));

        driver.emit(new GuestFrame.Pong(1));

        assertThat(renewal()).isEqualTo(new SandboxReport.NotRenewed(1, 1, RenewalRefusal.TOO_LATE));
        assertThat(arms())
                .containsExactly(new NodeFrame.Arm(2_105), new NodeFrame.Arm(2_175), new NodeFrame.Arm(2_025));
        pass(Duration.ofMillis(30));
        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.WALL_CLOCK, Optional.of(Measurement.millis(110, 80))));
    }

    @Test
    void aRenewalOfAnEndingAttemptIsTooLate() {
        driver.behave(ScriptedDriver.Manners.DEAF_AFTER_START);
        startFor(80);
        stop(KillReason.CANCELLED);

        renew(1, 200);

        assertThat(renewal()).isEqualTo(new SandboxReport.NotRenewed(1, 1, RenewalRefusal.TOO_LATE));
        pass(SETTINGS.softGrace().plus(SETTINGS.killConfirm()));
        ended();
    }

    @Test
    void aGuestThatConfirmsNothingIsNotAskedForEver() {
        driver.behave(ScriptedDriver.Manners.SLOW_TO_CONFIRM);
        startFor(80);

        for (int number = 1; number <= Renewals.UNCONFIRMED_MAX + 1; number++) {
            renew(number, 200);
        }

        assertThat(renewal())
                .isEqualTo(
                        new SandboxReport.NotRenewed(1, Renewals.UNCONFIRMED_MAX + 1, RenewalRefusal.TOO_MANY_AT_ONCE));
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void renewalsAreInForceInTheOrderInWhichTheyCame() {
        driver.behave(ScriptedDriver.Manners.SLOW_TO_CONFIRM);
        startFor(80);
        renew(1, 300);
        renew(2, 200);

        driver.emit(new GuestFrame.Pong(1));
        driver.emit(new GuestFrame.Pong(2));

        assertThat(renewal().number()).isEqualTo(1);
        assertThat(renewal().number()).isEqualTo(2);
        assertThat(arms().get(2)).isEqualTo(new NodeFrame.Arm(2_225));
        pass(Duration.ofMillis(200));
        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.WALL_CLOCK, Optional.of(Measurement.millis(200, 200))));
    }

    /** Otherwise the guest would end a renewed run at the old deadline, whenever the node's lease is short. */
    @Test
    void aGuestThatIsRearmedBeforeItHasConfirmedKeepsItsNewDeadline() {
        driver.behave(ScriptedDriver.Manners.SLOW_TO_CONFIRM);
        lease = NodeLease.of(Duration.ofSeconds(8), clock);
        lease.renew(clock.nanos());
        startFor(3_000);
        renew(1, 60_000);

        pass(Duration.ofSeconds(2));

        assertThat(arms())
                .containsExactly(new NodeFrame.Arm(5_025), new NodeFrame.Arm(8_000), new NodeFrame.Arm(6_000));
        driver.emit(new GuestFrame.Pong(1));
        assertThat(renewal()).isInstanceOf(SandboxReport.Renewed.class);
        stop(KillReason.CANCELLED);
        ended();
    }

    @Test
    void aRenewalBeforeTheStartIsInForceFromTheStart() {
        driver.failNextCreate(new DriverException(DriverException.Kind.ENGINE_UNAVAILABLE, "As scripted."));
        start(FIRST, Specs.spec(new TimeSpan(Duration.ofMillis(80)), NodeLossPolicy.FAIL, 1));

        renew(1, 200);
        assertThat(renewal()).isInstanceOf(SandboxReport.Renewed.class);
        pass(SETTINGS.engineRetry());

        run.expectMessageClass(SandboxReport.Started.class);
        assertThat(arms()).containsExactly(new NodeFrame.Arm(2_225));
        pass(Duration.ofMillis(200));
        assertThat(ended().outcome())
                .isEqualTo(new Outcome.Killed(KillReason.WALL_CLOCK, Optional.of(Measurement.millis(200, 200))));
    }

    @Test
    void anAgentIsWarnedOnceForEachDeadlineAndItsCommandAlone() {
        start(
                FIRST,
                Specs.warned(
                        new TimeSpan(Duration.ofMillis(80)),
                        new Warning(new TimeSpan(Duration.ofMillis(30)), WarningSignal.SIGUSR2)));
        run.expectMessageClass(SandboxReport.Started.class);

        pass(Duration.ofMillis(49));
        assertThat(signals()).isEmpty();
        pass(Duration.ofMillis(11));
        assertThat(signals()).containsExactly(new NodeFrame.Signal(1, 12, NodeFrame.SignalScope.PROCESS));

        renew(1, 200);
        pass(Duration.ofMillis(109));
        assertThat(signals()).hasSize(1);
        pass(Duration.ofMillis(31));

        assertThat(signals()).hasSize(2);
        assertThat(reportsToTheEnd())
                .filteredOn(SandboxReport.Warned.class::isInstance)
                .extracting(report -> ((SandboxReport.Warned) report).wallClock())
                .containsExactly(new TimeSpan(Duration.ofMillis(80)), new TimeSpan(Duration.ofMillis(200)));
    }

    @Test
    void anAlarmOfTheDeadlineIsRaisedOnceMoreForARenewedOne() {
        startFor(100);
        pass(Duration.ofMillis(99));
        renew(1, 300);
        pass(Duration.ofMillis(201));

        assertThat(alarms(reportsToTheEnd(), Consequence.NOTED))
                .filteredOn(alarm -> alarm.reason() == KillReason.WALL_CLOCK)
                .extracting(alarm -> alarm.measurement().limit())
                .containsExactly(100L, 300L);
    }

    private void startFor(long wallClockMillis) {
        start(FIRST, Specs.spec(new TimeSpan(Duration.ofMillis(wallClockMillis)), NodeLossPolicy.FAIL, 1));
        run.expectMessageClass(SandboxReport.Started.class);
    }

    private void renew(long number, long wallClockMillis) {
        actor.tell(new Sandbox.Renew(
                number,
                Specs.hello().limits().with(Limit.WALL_CLOCK, new TimeSpan(Duration.ofMillis(wallClockMillis)))));
    }

    private SandboxReport.RenewalReport renewal() {
        List<SandboxReport> reports = run.fishForMessage(
                Duration.ofSeconds(5),
                report -> report instanceof SandboxReport.RenewalReport
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndIgnore());
        return (SandboxReport.RenewalReport) reports.get(0);
    }

    private List<NodeFrame> signals() {
        return driver.sent().stream().filter(NodeFrame.Signal.class::isInstance).toList();
    }

    private List<NodeFrame.Arm> arms() {
        return driver.sent().stream()
                .filter(NodeFrame.Arm.class::isInstance)
                .map(NodeFrame.Arm.class::cast)
                .toList();
    }

    private ActorRef<Sandbox.Command> start(AttemptName attempt, RunSpec spec) {
        actor = KIT.spawn(Sandbox.create(environment(), attempt, spec, run.ref()), ON_THE_SENDERS_THREAD);
        return actor;
    }

    private SandboxEnvironment environment() {
        return new SandboxEnvironment(sandboxes, store, live, removals, SETTINGS, lease, clock);
    }

    private void pass(Duration duration) {
        StepScheduler.of(KIT.system()).pass(duration, clock);
    }

    private NodeLease lease = NodeLease.endless();

    private ActorRef<Sandbox.Command> actor;

    private void stop(KillReason reason) {
        actor.tell(new Sandbox.Stop(reason));
    }

    private SandboxReport.Ended ended() {
        return ended(reportsToTheEnd());
    }

    private static SandboxReport.Ended ended(List<SandboxReport> reports) {
        return (SandboxReport.Ended) reports.get(reports.size() - 1);
    }

    private List<SandboxReport> reportsToTheEnd() {
        return run.fishForMessage(
                Duration.ofSeconds(5),
                report -> report instanceof SandboxReport.Ended
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndCollect());
    }

    private static List<SandboxReport.Alarm> alarms(List<SandboxReport> reports, Consequence consequence) {
        return reports.stream()
                .filter(SandboxReport.Alarm.class::isInstance)
                .map(SandboxReport.Alarm.class::cast)
                .filter(alarm -> alarm.consequence() == consequence)
                .toList();
    }
}
