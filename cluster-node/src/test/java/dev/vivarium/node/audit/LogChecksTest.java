package dev.vivarium.node.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.audit.AuditTables.Passed;
import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.SeenCheckpoint;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.AuditCheck;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The day's check of the log, and the alarm that a finding raises, over a log of one event. */
@Timeout(60)
class LogChecksTest {
    private static final RunId RUN = new RunId("01jdvwxyz0123456789abcdefg");
    private static final Instant NOON = Instant.parse("2026-12-01T12:00:00Z");
    private static final CheckSettings DAILY = new CheckSettings(Optional.of(LocalTime.of(2, 30)), 1_000);
    private static final CheckSettings ON_DEMAND = new CheckSettings(Optional.empty(), 1_000);

    @TempDir
    private Path folder;

    private final ActorTestKit kit = ActorTestKit.create(
            "checks", ConfigFactory.parseString("pekko.actor.provider = local").withFallback(ConfigFactory.load()));
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final LogKey key = LogKey.create("example.org/log");
    /** What the store has at the only position. */
    private volatile JournalEntry stored = entry("{}");

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private static JournalEntry entry(String payload) {
        Blob content = Blob.ofUtf8(payload);
        byte[] genesis = Verify.genesis(RUN.value());
        return new JournalEntry(
                "RunLost",
                1,
                content,
                Blob.of(genesis),
                Blob.of(Verify.eventHash(genesis, "RunLost", 1, content.toByteArray())));
    }

    private AuditLog audit() {
        byte[] leaf =
                Verify.leafHash(Verify.leaf(RUN.value(), 1, entry("{}").hash().toByteArray()));
        LogKeys keys = LogKeys.parse(key.text());
        AuditTables tables = (AuditTables) Proxy.newProxyInstance(
                AuditTables.class.getClassLoader(),
                new Class<?>[] {AuditTables.class},
                (proxy, method, given) -> switch (method.getName()) {
                    case "log" -> new LogHead(1, keys.sign(1, leaf));
                    case "tile" -> leaf;
                    case "windows" -> List.of(given[1]);
                    case "entries" -> List.of(ordered(stored));
                    case "journal" -> List.of(new StoredEntry(1, stored));
                    case "passed" -> new Passed(List.of(), 1, OptionalLong.empty());
                    default -> throw new UnsupportedOperationException(method.getName());
                });
        return new AuditLog(
                        tables,
                        new AuditLog.Threads() {
                            @Override
                            public <T> CompletionStage<T> run(String what, Supplier<T> work) {
                                return CompletableFuture.supplyAsync(work);
                            }
                        },
                        Clock.systemUTC())
                .guarded(new CheckpointGuard(Optional.of(keys), SeenCheckpoint.NONE));
    }

    private static AuditEntry ordered(JournalEntry entry) {
        return new AuditEntry(
                0,
                NOON,
                RUN,
                1,
                "RunLost",
                "node-1",
                "default",
                "any",
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                entry);
    }

    private ActorRef<Checking.Command> checking(CheckSettings settings) {
        return kit.spawn(Checking.create(audit(), settings, "node-1", Clock.systemUTC(), Duration.ZERO));
    }

    private LogChecks watch(ActorRef<Checking.Command> checking, String node) {
        return CheckWatch.start(kit.system(), checking, new CheckFile(folder.resolve(node)), metrics);
    }

    private static Optional<AuditCheck.Report> ended(LogChecks checks) {
        return checks.known().last().filter(report -> report.endedAt().isPresent());
    }

    @Test
    void theDaysCheckRaisesAnAlarmThatStaysUntilALaterOneFindsNothing() {
        stored = entry("{\"forged\":true}");
        ActorRef<Checking.Command> checking = checking(DAILY);
        LogChecks checks = LoggingTestKit.error("Position 0 (event 1 of run " + RUN + ", RunLost) was changed")
                .expect(kit.system(), () -> watch(checking, "node-1"));
        await().until(() -> ended(checks).isPresent());

        assertThat(ended(checks).orElseThrow().findings())
                .singleElement()
                .asString()
                .startsWith("Position 0");
        assertThat(metrics.get("vivarium.audit.check.findings").gauge().value()).isEqualTo(1);

        // when: it is put right and an operator asks for a check
        stored = entry("{}");
        Instant before = ended(checks).orElseThrow().startedAt();
        assertThat(checks.begin(Principal.LOCAL_OPERATOR)
                        .toCompletableFuture()
                        .join()
                        .underWay())
                .isPresent();

        await().until(() -> ended(checks).orElseThrow().startedAt().isAfter(before));
        assertThat(ended(checks).orElseThrow().findings()).isEmpty();
        assertThat(metrics.get("vivarium.audit.check.findings").gauge().value()).isZero();
        assertThat(metrics.get("vivarium.audit.check.age.seconds").gauge().value())
                .isLessThan(60);
    }

    @Test
    void aNodeKeepsTheAlarmOverItsRestartAndTellsItToTheNextOneThatChecks() throws Exception {
        AuditCheck.Report found =
                new AuditCheck.Report(Instant.now(), Optional.of(Instant.now()), "node-2", 5, List.of("Position 3"));
        new CheckFile(folder.resolve("node-1")).keep(found);

        ActorRef<Checking.Command> checking = checking(ON_DEMAND);
        LogChecks checks = LoggingTestKit.error("not as it was written: Position 3")
                .expect(kit.system(), () -> watch(checking, "node-1"));

        // then: the one that checks has learnt of it, so other nodes do, too
        assertThat(checks.known().last()).contains(found);
        TestProbe<Checking.Answer> other = kit.createTestProbe();
        await().untilAsserted(() -> {
            checking.tell(new Checking.Compare(Optional.empty(), other.getRef()));
            assertThat(other.receiveMessage().check().last()).contains(found);
        });
    }

    @Test
    void withoutATimeOfTheDayOnlyOperatorsBeginChecks() {
        LogChecks checks = watch(checking(ON_DEMAND), "node-1");

        assertThat(checks.begin(Principal.LOCAL_OPERATOR)
                        .toCompletableFuture()
                        .join()
                        .last())
                .isEmpty();
        await().until(() -> ended(checks).isPresent());
    }

    @Test
    void aCheckIsDueOnceADayAndAgainWhenItWasCutOff() {
        assertThat(DAILY.isDue(Optional.empty(), NOON)).isTrue();
        assertThat(DAILY.isDue(report("2026-12-01T02:30:01Z", true), NOON)).isFalse();
        assertThat(DAILY.isDue(report("2026-12-01T02:30:01Z", false), NOON)).isTrue();
        assertThat(DAILY.isDue(report("2026-12-01T02:29:59Z", true), NOON)).isTrue();
        assertThat(DAILY.isDue(report("2026-11-30T12:00:00Z", true), Instant.parse("2026-12-01T02:29:59Z")))
                .isFalse();
        assertThat(ON_DEMAND.isDue(Optional.empty(), NOON)).isFalse();
    }

    private static Optional<AuditCheck.Report> report(String startedAt, boolean ended) {
        Instant start = Instant.parse(startedAt);
        return Optional.of(new AuditCheck.Report(
                start, ended ? Optional.of(start.plusSeconds(60)) : Optional.empty(), "node-1", 1, List.of()));
    }

    @Test
    void settingsAreATimeOfTheDayInUtcAndARate() {
        assertThat(settings("23:59", 1)).isEqualTo(new CheckSettings(Optional.of(LocalTime.of(23, 59)), 1));
        assertThat(settings("off", 1_000_000)).isEqualTo(new CheckSettings(Optional.empty(), 1_000_000));
        for (String at : List.of("", "24:00", "2:30", "daily", "02:30+01:00")) {
            assertRefused(at, 1);
        }
        assertRefused("off", 0);
        assertRefused("off", 1_000_001);
    }

    private static CheckSettings settings(String at, int rate) {
        return CheckSettings.from(ConfigFactory.parseMap(Map.of("at", at, "events-per-second", rate)));
    }

    private static void assertRefused(String at, int rate) {
        assertThatThrownBy(() -> settings(at, rate))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("vivarium.audit.check.");
    }

    @Test
    void whatNodesTellEachOtherIsSerialized() {
        ActorRef<Checking.Answer> replies =
                kit.<Checking.Answer>createTestProbe().getRef();
        AuditCheck check = new AuditCheck(
                report("2026-12-01T02:30:01Z", false), Optional.of(new AuditCheck.Progress(NOON, "node-1", 9, 3)));
        kit.serializationTestKit().verifySerialization(new Checking.Compare(check.last(), replies), true);
        kit.serializationTestKit().verifySerialization(new Checking.Begin("local:operator", replies), true);
        kit.serializationTestKit().verifySerialization(new Checking.Answer(check), true);
        kit.serializationTestKit().verifySerialization(new Checking.HandOver(), true);
    }
}
