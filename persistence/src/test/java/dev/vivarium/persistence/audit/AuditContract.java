package dev.vivarium.persistence.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.audit.AuditTables.News;
import dev.vivarium.persistence.audit.AuditTables.Seat;
import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.AuditTables.Written;
import dev.vivarium.persistence.audit.Tally.Measure;
import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.audit.tlog.LogGrowth;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.SeenCheckpoint;
import dev.vivarium.persistence.audit.tlog.StoredTree;
import dev.vivarium.persistence.audit.tlog.Tile;
import dev.vivarium.persistence.audit.tlog.TilePath;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RecordedActs;
import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.LogKeyFile;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.AuditCounts;
import dev.vivarium.protocol.api.AuditEventView;
import dev.vivarium.protocol.api.AuditPage;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.ExportCheck;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.TimeSpan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract of the order over all runs, on every store. The order belongs to the whole store, so tests look at their
 * own runs, which a tenant of theirs sets apart, and each lets a new sequencer take over from the one before.
 */
public abstract class AuditContract {
    private static final AtomicInteger TESTS = new AtomicInteger();
    private static final Duration SOON = Duration.ofSeconds(20);

    private final int test = TESTS.incrementAndGet();
    private final String tenant = "tenant-" + test;
    private final Instant noon = Fixtures.NOON.plus(Duration.ofDays(test));
    private final Map<RunId, List<RunEvent>> written = new HashMap<>();
    private int acts;

    @TempDir
    static Path folder;

    protected abstract JournalWriter writer();

    /** The tables as one more node has them open. */
    protected abstract AuditTables node();

    protected static AuditLog log(AuditTables tables) {
        return log(tables, Duration.ofSeconds(30));
    }

    private static AuditLog log(AuditTables tables, Duration budget) {
        return new AuditLog(
                tables,
                new AuditLog.Threads() {
                    @Override
                    public <T> CompletionStage<T> run(String what, Supplier<T> work) {
                        return CompletableFuture.supplyAsync(work);
                    }
                },
                Clock.systemUTC(),
                budget);
    }

    /** What a node has seen, beside the store under test. */
    private record KeptInMemory(AtomicReference<String> checkpoint) implements SeenCheckpoint {
        @Override
        public Optional<String> last() {
            return Optional.ofNullable(checkpoint.get());
        }

        @Override
        public void keep(String next) {
            checkpoint.set(next);
        }
    }

    /** A guard of a node that has seen nothing yet. */
    protected static CheckpointGuard guard() {
        return guard(new AtomicReference<>());
    }

    private static CheckpointGuard guard(AtomicReference<String> seen) {
        try {
            Path key = folder.resolve("key");
            if (!Files.exists(key)) {
                LogKeyFile.create(key, "example.org/vivarium");
            }
            return new CheckpointGuard(Optional.of(LogKeyFile.read(key)), new KeptInMemory(seen));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    // ---- one order

    @Test
    void everyEventGetsOnePositionAndEachRunsAreInOrder() {
        AuditTables tables = node();
        AuditSequencer sequencer = log(tables).guarded(guard()).sequence();
        try {
            for (int n = 1; n <= 5; n++) {
                success(n, Map.of());
                tables.changed(written.keySet());
            }
            awaitSequenced();
        } finally {
            sequencer.close();
        }

        assertWholeOrder();
        assertThat(own(AuditOrder.OLDEST)).hasSize(20);
    }

    @Test
    void eventsFromBeforeTheFirstSequencerAndWithoutNoticeAreFound() {
        success(1, Map.of());
        AuditTables tables = node();
        AuditSequencer sequencer = log(tables).sequencer(guard());

        step(sequencer);

        awaitSequenced();
        assertWholeOrder();
    }

    @Test
    void aSequencerThatWasFrozenWhileAnotherTookOverWritesNothing() {
        // given: a sequencer that has read events and decided on their positions
        AuditTables frozen = node();
        Seat seat = frozen.takeOver();
        success(1, Map.of());
        frozen.changed(written.keySet());
        News news = frozen.next(runs -> frozen.facts(runs));
        AuditBatch batch = batch(frozen, seat, news);
        assertThat(batch.entries()).isNotEmpty();

        // when: another takes over, before and after which the first one wakes
        AuditTables other = node();
        AuditSequencer successor = log(other).sequencer(guard());
        successor.round();
        assertThat(news.write(seat, batch)).isEqualTo(Written.FENCED_OFF);
        success(2, Map.of());
        other.changed(written.keySet());
        step(successor);
        assertThat(news.write(seat, batch)).isEqualTo(Written.FENCED_OFF);

        // then
        awaitSequenced();
        assertWholeOrder();
        assertThat(own(AuditOrder.OLDEST)).hasSize(8);
    }

    @Test
    void twoSequencersThatFightGiveEachEventOnePosition() {
        AuditTables one = node();
        AuditTables other = node();
        AuditSequencer first = log(one).sequencer(guard());
        AuditSequencer second = log(other).sequencer(guard());
        for (int n = 1; n <= 6; n++) {
            success(n, Map.of());
            one.changed(written.keySet());
            other.changed(written.keySet());
            first.round();
            second.round();
            first.round();
        }
        step(first);

        awaitSequenced();
        assertWholeOrder();
        assertThat(own(AuditOrder.OLDEST)).hasSize(24);
    }

    @Test
    void aSequencerThatBeginsAgainGoesOnWhereItWas() {
        List<JournalEntry> entries =
                JournalWriter.entries(run(1), Fixtures.success(run(1), noon, Map.of(RunSpec.TENANT_LABEL, tenant)));
        var owner = writer().entity(run(1));
        for (int seq = 0; seq < entries.size(); seq++) {
            writer().append(owner, entries.subList(seq, seq + 1))
                    .toCompletableFuture()
                    .join();
            written.put(run(1), List.of());
            AuditTables tables = node();
            tables.changed(List.of(run(1)));
            step(log(tables).sequencer(guard()));
        }

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(own(AuditOrder.OLDEST)).hasSize(4));
        assertWholeOrder();
    }

    @Test
    void anEventThatThisVersionCannotReadGetsAPositionLikeAnyOther() {
        List<JournalEntry> entries = JournalWriter.entries(
                run(1),
                Fixtures.success(run(1), noon, Map.of(RunSpec.TENANT_LABEL, tenant))
                        .subList(0, 3));
        JournalEntry newer = entry(
                entries.get(2).hash(),
                "RunTeleported",
                "{\"at\":\"" + noon + "\",\"node\":\"node-9\",\"by\":\"oidc:eve\",\"to\":\"mars\"}");
        writer().writeEntries(run(1), concat(entries, newer));
        written.put(run(1), List.of());
        sequence();

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(own(AuditOrder.OLDEST)).hasSize(4));
        AuditEventView newest = own(AuditOrder.NEWEST).get(0);
        assertThat(newest.type()).isEqualTo("RunTeleported");
        assertThat(newest.node()).isEqualTo("node-9");
        assertThat(newest.by()).contains("oidc:eve");
        assertThat(newest.event()).isEmpty();
        assertThat(found(filter().with(Field.BY, Set.of("oidc:eve")))).hasSize(1);
    }

    /** An entry as a newer version may write it. */
    private static JournalEntry entry(Blob previous, String type, String json) {
        Blob payload = Blob.ofUtf8(json);
        return new JournalEntry(
                type,
                7,
                payload,
                previous,
                Blob.of(Verify.eventHash(previous.toByteArray(), type, 7, payload.toByteArray())));
    }

    private static List<JournalEntry> concat(List<JournalEntry> entries, JournalEntry one) {
        List<JournalEntry> all = new ArrayList<>(entries);
        all.add(one);
        return all;
    }

    // ---- the log

    @Test
    void everyRunIsProvenByACheckpointOverAllEvents() {
        success(1, Map.of());
        killed(2, KillReason.MEMORY, Map.of("odd", "\u0000\ud800"));
        sequence();

        LogHead head = node().log();
        assertThat(head.size()).isEqualTo(node().head().size());
        Verify.Checkpoint checkpoint = guard().keys().orElseThrow().open(head.checkpoint());
        assertThat(checkpoint.size()).isEqualTo(head.size());
        for (int n : List.of(1, 2)) {
            RunProof proof = proof(run(n));
            assertThat(proof.extent()).isEqualTo(RunProof.Extent.WHOLE);
            Verify.Report report = Verify.check(proof.text(), verifier());
            assertThat(report.verdict()).as(report.toString()).isEqualTo(Verify.Verdict.PROVEN);
            assertThat(report.sentences().get(0)).isEqualTo("Run " + run(n) + ", events 1 to 4, as they were written:");
            assertThat(report.sentences()).contains("The last one ends the run: there are no others.");
        }
        // and the log says the same of every event that there is
        StoredTree tree = new StoredTree(head.size(), node()::tile);
        AuditTables tables = node();
        for (Window window : tables.windows(AuditFilter.ALL, new Window(0, head.size()), AuditOrder.OLDEST)) {
            tables.entries(AuditFilter.ALL, window, AuditOrder.OLDEST, Integer.MAX_VALUE)
                    .forEach(
                            entry -> assertThat(tree.leafHash(entry.position())).isEqualTo(LogWriter.leafHash(entry)));
        }
    }

    @Test
    void everyCheckpointBeginsWithThoseBefore() {
        success(1, Map.of());
        sequence();
        Verify.Checkpoint earlier =
                guard().keys().orElseThrow().open(node().log().checkpoint());
        success(2, Map.of());
        sequence();
        Verify.Checkpoint later = guard().keys().orElseThrow().open(node().log().checkpoint());

        assertThat(later.size()).isGreaterThan(earlier.size());
        assertThat(Verify.isConsistent(
                        earlier.size(),
                        Base64.getDecoder().decode(earlier.root()),
                        later.size(),
                        Base64.getDecoder().decode(later.root()),
                        new StoredTree(later.size(), node()::tile).consistency(earlier.size())))
                .isTrue();
    }

    @Test
    void aSequencerWithoutAKeyGrowsTheLogAndTheNextOneWithAKeySignsIt() {
        success(1, Map.of());
        sequence();
        String before = node().log().checkpoint();
        success(2, Map.of());
        AuditTables tables = node();
        tables.changed(written.keySet());
        step(log(tables).sequencer(new CheckpointGuard(Optional.empty(), SeenCheckpoint.NONE)));
        awaitSequenced();
        assertThat(node().log().checkpoint()).isEqualTo(before);
        assertThat(proof(run(2)).extent()).isEqualTo(RunProof.Extent.IN_PART);

        sequence();

        assertThat(node().log().claimedSize()).isEqualTo(node().head().size());
        assertThat(proof(run(2)).extent()).isEqualTo(RunProof.Extent.WHOLE);
    }

    @Test
    void aSequencerThatWasFrozenWhileAnotherTookOverAddsNothingToTheLog() {
        success(1, Map.of());
        sequence();
        AuditTables frozen = node();
        Seat seat = frozen.takeOver();
        LogHead head = frozen.log();
        sequence();

        assertThat(frozen.grow(seat, new LogGrowth(head.size(), head.size() + 1, List.of(), "forged")))
                .isEqualTo(Written.FENCED_OFF);
        assertThat(node().log()).isEqualTo(head);
    }

    @Test
    void aStoreThatWasSetBackIsRefusedUntilAnotherLogIsDeclared() throws IOException {
        success(1, Map.of());
        sequence();
        LogHead head = node().log();
        AtomicReference<String> seen = new AtomicReference<>();
        // given: a node that has seen a checkpoint over more events than the store has, under the log's name
        seen.set(guard().keys().orElseThrow().sign(head.size() + 1, new byte[32]));
        CheckpointGuard refusing = guard(seen);
        success(2, Map.of());
        AuditTables tables = node();
        tables.changed(written.keySet());

        step(log(tables).sequencer(refusing));

        // then: events have their positions, and no checkpoint is signed
        awaitSequenced();
        assertThat(node().log()).isEqualTo(head);
        assertThat(refusing.refusal().orElseThrow())
                .contains("The store's log has " + head.size()
                        + " events, and the checkpoint that this node has seen has " + (head.size() + 1))
                .contains("vivarium audit key FILE --new NAME");

        // and a key of another name begins a new log, from the first event on
        Path key = folder.resolve("declared");
        LogKeyFile.create(key, "example.org/vivarium-2");
        CheckpointGuard declared = new CheckpointGuard(Optional.of(LogKeyFile.read(key)), new KeptInMemory(seen));
        step(log(node()).sequencer(declared));
        step(log(node()).sequencer(declared));
        assertThat(declared.refusal()).isEmpty();
        assertThat(LogKeyFile.read(key).open(node().log().checkpoint()).size())
                .isEqualTo(node().head().size());

        // and back, so that the other tests find their log
        sequence();
        assertThat(Verify.check(proof(run(2)).text(), verifier()).verdict()).isEqualTo(Verify.Verdict.PROVEN);
    }

    @Test
    void aTreeThatWasChangedInTheStoreIsNotSigned() {
        success(1, Map.of());
        sequence();
        AuditTables tables = node();
        Seat seat = tables.takeOver();
        LogHead head = tables.log();
        int width = (int) ((head.size() - 1) % Tile.WIDTH) + 1;
        byte[] hashes = tables.tile(0, (head.size() - 1) / Tile.WIDTH, width);
        byte[] forged = hashes.clone();
        forged[hashes.length - 1] ^= 1;
        tables.grow(seat, growth(head, forged));
        success(2, Map.of());

        CheckpointGuard guard = guard();
        AuditTables other = node();
        other.changed(written.keySet());
        step(log(other).sequencer(guard));

        awaitSequenced();
        assertThat(guard.refusal().orElseThrow()).contains("its tree was changed");
        assertThat(node().log()).isEqualTo(head);
        // and once it is put right, the log goes on
        tables.grow(tables.takeOver(), growth(head, hashes));
        sequence();
        assertThat(node().log().size()).isGreaterThan(head.size());
    }

    private static LogGrowth growth(LogHead head, byte[] lastTile) {
        return new LogGrowth(
                head.size(),
                head.size(),
                List.of(new Tile(0, (head.size() - 1) / Tile.WIDTH, Blob.of(lastTile))),
                head.checkpoint());
    }

    private RunProof proof(RunId run) {
        return log(node()).proof(run).toCompletableFuture().join().orElseThrow();
    }

    private static String verifier() {
        return guard().keys().orElseThrow().signers().get(0).verifier();
    }

    // ---- exports

    @Test
    void everyRangeOfTheOrderIsExportedAndProvesItself() {
        success(1, Map.of());
        killed(2, KillReason.MEMORY, Map.of("odd", "\u0000\ud800"));
        sequence();
        LogHead head = node().log();

        for (long from : List.of(0L, 1L, head.size() - 8, head.size())) {
            List<ExportLine> lines = exported(new ExportRange(AuditFilter.ALL, from, head.size(), head));

            assertThat(lines).hasSize((int) (head.size() - from) + 2);
            Verify.Report report = checked(lines);
            assertThat(report.verdict()).as(report.toString()).isEqualTo(Verify.Verdict.PROVEN);
        }
        assertThat(checked(exported(new ExportRange(AuditFilter.ALL, 1, head.size() - 1, head)))
                        .verdict())
                .isEqualTo(Verify.Verdict.PROVEN);
    }

    @Test
    void anExportOfManyPartsHasEveryEventOnce() {
        for (int n = 1; n <= 60; n++) {
            success(n, Map.of());
        }
        sequence();
        LogHead head = node().log();

        List<ExportLine> lines = exported(new ExportRange(AuditFilter.ALL, 0, head.size(), head));
        assertThat(checked(lines).verdict()).isEqualTo(Verify.Verdict.PROVEN);
        // and so has one of the tenant's, which proves nothing
        List<ExportLine> narrowed = exported(new ExportRange(filter(), 0, head.size(), head));
        assertThat(narrowed.stream()
                        .filter(ExportLine.Event.class::isInstance)
                        .map(line -> ((ExportLine.Event) line).position())
                        .toList())
                .isEqualTo(positions(own(AuditOrder.OLDEST)));
        assertThat(checked(narrowed).sentences().toString()).contains("proves nothing as a whole");
    }

    @Test
    void anExportOfATimeHasItsEventsOnly() {
        success(1, Map.of());
        sequence();
        LogHead head = node().log();

        AuditFilter never = filter().within(Optional.of(noon.plusSeconds(3_600)), Optional.of(noon.plusSeconds(3_601)));
        assertThat(exported(new ExportRange(never, 0, head.size(), head))).hasSize(2);
        AuditFilter then = filter().within(Optional.of(noon), Optional.of(noon.plusSeconds(3_600)));
        assertThat(exported(new ExportRange(then, 0, head.size(), head))).hasSize(6);
    }

    @Test
    void aReaderThatGoesOnFromAPositionSeesEachEventOnce() {
        success(1, Map.of());
        success(2, Map.of());
        sequence();
        List<Long> seen = new ArrayList<>();
        long next = 0;
        long size = node().head().size();
        while (next < size) {
            Stretch stretch = log(node())
                    .read(filter(), new Window(next, Long.MAX_VALUE), 3)
                    .toCompletableFuture()
                    .join();
            assertThat(stretch.next()).isGreaterThan(next);
            stretch.entries().forEach(entry -> seen.add(entry.position()));
            next = stretch.next();
        }

        assertThat(seen).isEqualTo(positions(own(AuditOrder.OLDEST)));
    }

    /** The lines of an export, read part by part. */
    protected List<ExportLine> exported(ExportRange range) {
        return exported(range, node());
    }

    private static List<ExportLine> exported(ExportRange range, AuditTables tables) {
        List<ExportLine> lines = new ArrayList<>();
        AuditLog log = log(tables);
        OptionalLong next = OptionalLong.of(range.from());
        while (next.isPresent()) {
            ExportPart part =
                    log.export(range, next.getAsLong()).toCompletableFuture().join();
            assertThat(part.lines()).hasSizeLessThanOrEqualTo(102);
            lines.addAll(part.lines());
            next = part.next();
        }
        return lines;
    }

    protected static Verify.Report checked(List<ExportLine> lines) {
        ExportCheck check = new ExportCheck(guard().keys().orElseThrow().verifiers());
        lines.forEach(line -> check.accept(Optional.of(line)));
        return check.report();
    }

    /** What a check of all events says. */
    protected List<String> faults() {
        LogHead head = node().log();
        return checked(exported(new ExportRange(AuditFilter.ALL, 0, head.size(), head)))
                .sentences();
    }

    /** What the node's check of the whole log finds. */
    protected List<String> checkFindings() {
        return checked(node()).findings();
    }

    /** What a check of a store says that no node has open. */
    protected static Verify.Report checked(StoredLog stored) {
        try (stored) {
            AuditLog log = stored.audit();
            LogCheck check = log.check(guard().keys().orElseThrow().verifiers())
                    .toCompletableFuture()
                    .join()
                    .orElseThrow();
            while (!check.isDone()) {
                log.step(check).toCompletableFuture().join();
            }
            return check.report();
        }
    }

    private static LogCheck checked(AuditTables tables) {
        AuditLog log = log(tables).guarded(guard());
        LogCheck check = log.beginCheck().toCompletableFuture().join().orElseThrow();
        while (!check.isDone()) {
            log.step(check).toCompletableFuture().join();
        }
        return check;
    }

    @Test
    void theTilesThatAreServedGiveTheCheckpointsRootAndEachConsistencyProofHolds() {
        success(1, Map.of());
        success(2, Map.of());
        sequence();
        AuditLog log = log(node()).guarded(guard());
        Verify.Checkpoint checkpoint =
                guard().keys().orElseThrow().open(node().log().checkpoint());
        StoredTree served =
                new StoredTree(checkpoint.size(), (level, index, width) -> log.tile(new TilePath(level, index, width))
                        .toCompletableFuture()
                        .join()
                        .orElseThrow()
                        .toByteArray());
        assertThat(Base64.getEncoder().encodeToString(served.root())).isEqualTo(checkpoint.root());
        assertThat(log.tile(new TilePath(0, checkpoint.size() / Tile.WIDTH, Tile.WIDTH))
                        .toCompletableFuture()
                        .join())
                .isEmpty();

        for (long earlier : List.of(1L, 2L, checkpoint.size() - 1, checkpoint.size())) {
            List<String> lines = log.consistency(earlier)
                    .toCompletableFuture()
                    .join()
                    .orElseThrow()
                    .lines()
                    .toList();
            int end = lines.indexOf("");
            assertThat(lines.get(0)).isEqualTo("old " + earlier);
            assertThat(Verify.isConsistent(
                            earlier,
                            served.rootAt(earlier),
                            checkpoint.size(),
                            Base64.getDecoder().decode(checkpoint.root()),
                            lines.subList(1, end).stream()
                                    .map(Base64.getDecoder()::decode)
                                    .toList()))
                    .as("from " + earlier)
                    .isTrue();
        }
        assertThat(log.consistency(checkpoint.size() + 1).toCompletableFuture().join())
                .isEmpty();
    }

    @Test
    void theNodesCheckFindsNothingInALogThatIsAsItWasWritten() {
        success(1, Map.of());
        killed(2, KillReason.MEMORY, Map.of("odd", "\u0000\ud800"));
        // and: a run that has not ended, which goes on after the checkpoint
        List<RunEvent> events = Fixtures.success(run(3), noon, own(Map.of()));
        writeEvents(run(3), events.subList(0, 2));
        sequence();

        LogCheck check = checked(node());

        assertThat(check.findings()).isEmpty();
        assertThat(check.looked())
                .isEqualTo(check.size())
                .isEqualTo(node().log().claimedSize());
    }

    @Test
    void aStepOfACheckThatFailsAsTheStoreIsAwayIsTakenAgain() {
        success(1, Map.of());
        sequence();
        LogCheck check = LogCheck.begin(
                        failingOnceEach(node()), guard().keys().orElseThrow().verifiers())
                .orElseThrow();
        int failures = 0;
        while (!check.isDone()) {
            try {
                check.step();
            } catch (StoreUnavailable away) {
                failures++;
            }
        }

        assertThat(failures).isGreaterThan(2);
        assertThat(check.findings()).isEmpty();
    }

    private static AuditTables failingOnceEach(AuditTables tables) {
        // Each read fails once.
        Set<String> failing = Set.of("entries", "journal", "passed");
        Map<String, Integer> seen = new HashMap<>();
        return (AuditTables) Proxy.newProxyInstance(
                AuditTables.class.getClassLoader(), new Class<?>[] {AuditTables.class}, (proxy, method, given) -> {
                    String call = method.getName() + (given == null ? "" : java.util.Arrays.deepToString(given));
                    if (failing.contains(method.getName()) && seen.merge(call, 1, Integer::sum) == 1) {
                        throw new StoreUnavailable("away");
                    }
                    try {
                        return method.invoke(tables, given);
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    }
                });
    }

    // ---- administrative acts

    @Test
    void anActHasItsPlaceAmongTheEventsOfRuns() {
        success(1, Map.of());
        ActId id = new ActId(ActId.FIRST + run(2).value().substring(1));
        Act.TokenCreated act = RecordedActs.tokenCreated(noon, new Tenant(tenant));
        writeAct(id, ActCodec.encode(id, act));
        success(3, Map.of());
        sequence();
        assertThat(own(AuditOrder.OLDEST)).hasSize(9);

        AuditEventView view =
                found(filter().with(Field.TYPE, Set.of("TokenCreated"))).get(0);

        assertThat(checked(node()).findings()).isEmpty();
        assertThat(own(AuditOrder.OLDEST)).contains(view);
        assertThat(view.run().value()).isEqualTo(id.value());
        assertThat(view.seq()).isEqualTo(1);
        assertThat(view.at()).isEqualTo(act.at().truncatedTo(java.time.temporal.ChronoUnit.MICROS));
        assertThat(view.node()).isEqualTo(act.node());
        assertThat(view.by()).contains(act.by().toString());
        assertThat(view.image()).isEmpty();
        assertThat(view.event().orElseThrow().data()).isEqualTo(act);
        assertThat(view.event().orElseThrow().hash()).isEqualTo(view.hash());
        assertThat(found(filter().withRuns(Set.of(new RunId(id.value()))))).containsExactly(view);
        assertThat(found(filter().with(Field.BY, Set.of(act.by().toString())))).contains(view);
    }

    @Test
    void anActThatThisVersionDoesNotKnowHasItsPlaceToo() {
        ActId id = new ActId(ActId.FIRST + run(1).value().substring(1));
        RunId chain = new RunId(id.value());
        writeAct(
                id,
                entry(
                        EventCodec.genesis(chain),
                        "MoonMoved",
                        "{\"at\":\"" + noon + "\",\"node\":\"node-9\",\"tenant\":\"" + tenant + "\"}"));
        sequence();

        AuditEventView view = own(AuditOrder.OLDEST).get(0);

        assertThat(view.type()).isEqualTo("MoonMoved");
        assertThat(view.node()).isEqualTo("node-9");
        assertThat(view.event()).isEmpty();
    }

    @Test
    void runsThatAnActHasDeletedAreExplainedAndNoOthers() throws IOException {
        success(1, Map.of());
        success(2, Map.of());
        sequence();
        AuditLog log = log(node()).guarded(guard());
        String earlierProof = proof(run(1)).text();
        LogHead before = node().log();
        LoggedRun logged = join(log.logged(run(1))).orElseThrow();
        assertThat(logged.positions()).hasSize(4);
        Positions positions = Positions.of(logged.positions());
        // given: a store from which the first run is gone
        AuditTables gone = without(node(), Set.of(run(1)));
        assertThat(checked(gone).findings().toString()).contains("no act says that this was to be deleted");
        assertThat(join(log.isDeletionLogged(positions, before.size()))).isFalse();

        ActId id = new ActId(ActId.FIRST + run(4).value().substring(1));
        Act act = new Act.RunsDeleted(
                noon,
                "node-1",
                new Tenant(tenant),
                TimeSpan.parse("720h"),
                positions,
                List.of(new Act.DeletedRun(run(1), logged.positions().size(), logged.head())));
        writeAct(id, ActCodec.encode(id, act));
        sequence();
        assertThat(own(AuditOrder.OLDEST)).hasSize(9);

        assertThat(join(log.isDeletionLogged(positions, before.size()))).isTrue();
        assertThat(join(log(gone).logged(run(1)))).isEmpty();
        assertThat(checked(gone).findings()).isEmpty();
        Verify.Report range = checked(exported(new ExportRange(AuditFilter.ALL, 0, before.size(), before), gone));
        assertThat(range.verdict()).as(range.toString()).isEqualTo(Verify.Verdict.PROVEN);
        assertThat(range.sentences().get(0)).contains("the events at 4 other positions were deleted");
        assertThat(Verify.check(earlierProof, verifier()).verdict()).isEqualTo(Verify.Verdict.PROVEN);
        assertThat(checked(without(node(), Set.of(run(1), run(2)))).findings()).isNotEmpty();

        // and: a log that begins anew has what the one before it had
        LogHead now = node().log();
        Path key = folder.resolve("anew");
        LogKeyFile.create(key, "example.org/vivarium-3");
        CheckpointGuard declared =
                new CheckpointGuard(Optional.of(LogKeyFile.read(key)), new KeptInMemory(new AtomicReference<>()));
        step(log(gone).sequencer(declared));
        assertThat(LogKeyFile.read(key).open(node().log().checkpoint()).root())
                .isEqualTo(guard().keys().orElseThrow().open(now.checkpoint()).root());
        sequence();
    }

    /** Tables from which the events of some runs are gone. */
    private static AuditTables without(AuditTables tables, Set<RunId> runs) {
        return (AuditTables) Proxy.newProxyInstance(
                AuditTables.class.getClassLoader(), new Class<?>[] {AuditTables.class}, (proxy, method, given) -> {
                    if (method.getName().equals("journal") && runs.contains(given[0])) {
                        return List.of();
                    }
                    try {
                        Object answer = method.invoke(tables, given);
                        return method.getName().equals("entries")
                                ? ((List<?>) answer)
                                        .stream()
                                                .filter(entry -> !runs.contains(((AuditEntry) entry).run()))
                                                .toList()
                                : answer;
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    }
                });
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    private void writeAct(ActId id, JournalEntry entry) {
        RunId chain = new RunId(id.value());
        writer().writeEntries(chain, List.of(entry));
        written.put(chain, List.of());
        acts++;
    }

    // ---- queries

    @Test
    void eventsAreFoundByEachFieldAndByAllTogether() {
        success(1, Map.of("team", "research", "x", "1"));
        killed(2, KillReason.MEMORY, Map.of("team", "research"));
        killed(3, KillReason.IDLE, Map.of("odd", "\u0000\ud800"));
        sequence();

        assertThat(own(AuditOrder.OLDEST)).hasSize(12);
        assertThat(found(filter().withRuns(Set.of(run(2))))).hasSize(4);
        assertThat(found(filter().withRuns(Set.of(run(2), run(3))))).hasSize(8);
        assertThat(found(filter().withLabels(Map.of("team", "research")))).hasSize(8);
        assertThat(found(filter().withLabels(Map.of("team", "research", "x", "1"))))
                .hasSize(4);
        assertThat(found(filter().withLabels(Map.of("odd", "\u0000\ud800")))).hasSize(4);
        assertThat(found(filter().with(Field.TYPE, Set.of("RunKilled")))).hasSize(2);
        assertThat(found(filter().with(Field.REASON, Set.of("MEMORY")))).hasSize(1);
        assertThat(found(filter().with(Field.REASON, Set.of("MEMORY", "IDLE")))).hasSize(2);
        assertThat(found(filter().with(Field.NODE, Set.of("node-1")))).hasSize(12);
        assertThat(found(filter().with(Field.NODE, Set.of("node-2")))).isEmpty();
        assertThat(found(filter().with(Field.IMAGE, Set.of("vivarium/python")))).hasSize(12);
        assertThat(found(filter().with(Field.BY, Set.of("local:operator")))).hasSize(3);
        assertThat(found(filter().with(Field.TYPE, Set.of("RunSubmitted", "RunKilled"))
                        .with(Field.IMAGE, Set.of("vivarium/python"))
                        .withLabels(Map.of("team", "research"))))
                .extracting(AuditEventView::type)
                .containsExactlyInAnyOrder("RunKilled", "RunSubmitted", "RunSubmitted");
        AuditEventView kill = found(filter().with(Field.REASON, Set.of("IDLE"))).get(0);
        assertThat(kill.run()).isEqualTo(run(3));
        assertThat(kill.seq()).isEqualTo(4);
        assertThat(kill.tenant()).isEqualTo(tenant);
        assertThat(kill.at()).isEqualTo(noon.truncatedTo(java.time.temporal.ChronoUnit.MICROS));
        assertThat(kill.event().orElseThrow().seq()).isEqualTo(4);
        assertThat(kill.event().orElseThrow().hash()).isEqualTo(kill.hash());
    }

    @Test
    void eventsAreFoundByTimeWhateverTheirPosition() {
        // given: nodes whose clocks are a day apart
        writeEvents(run(1), Fixtures.success(run(1), noon.plus(Duration.ofHours(40)), own(Map.of())));
        writeEvents(run(2), Fixtures.success(run(2), noon, own(Map.of())));
        sequence();

        assertThat(within(noon.minusSeconds(1), noon.plusSeconds(1)))
                .extracting(AuditEventView::run)
                .containsOnly(run(2))
                .hasSize(4);
        assertThat(within(noon.plus(Duration.ofHours(39)), noon.plus(Duration.ofHours(41))))
                .extracting(AuditEventView::run)
                .containsOnly(run(1))
                .hasSize(4);
        assertThat(within(noon.minus(Duration.ofDays(9000)), noon.minus(Duration.ofDays(8000))))
                .isEmpty();
        assertThat(within(noon.plusSeconds(1), noon.minusSeconds(1))).isEmpty();
    }

    private List<AuditEventView> within(Instant since, Instant until) {
        return found(filter().within(Optional.of(since), Optional.of(until)));
    }

    @Test
    void pagesFollowEachOtherInBothOrdersWhileEventsAreAdded() {
        for (int n = 1; n <= 4; n++) {
            success(n, Map.of());
        }
        sequence();
        List<Long> newest = positions(own(AuditOrder.NEWEST));

        List<Long> falling = new ArrayList<>();
        List<Long> rising = new ArrayList<>();
        Optional<String> down = Optional.empty();
        Optional<String> up = Optional.empty();
        for (int page = 0; page < 4; page++) {
            AuditPage next = page(AuditOrder.NEWEST, down, 5);
            falling.addAll(positions(next.events()));
            down = next.next();
            AuditPage oldest = page(AuditOrder.OLDEST, up, 5);
            rising.addAll(positions(oldest.events()));
            up = oldest.next();
            success(10 + page, Map.of());
            sequence();
        }
        while (true) {
            AuditPage oldest = page(AuditOrder.OLDEST, up, 5);
            rising.addAll(positions(oldest.events()));
            up = oldest.next();
            if (oldest.end() == AuditPage.End.COMPLETE) {
                break;
            }
        }

        assertThat(falling).isEqualTo(newest);
        assertThat(down).isEmpty();
        assertThat(rising).isSorted().doesNotHaveDuplicates().hasSize(32);
        // and the end of the oldest first is where the next ones will be
        success(20, Map.of());
        sequence();
        assertThat(page(AuditOrder.OLDEST, up, 5).events())
                .extracting(AuditEventView::run)
                .containsOnly(run(20))
                .hasSize(4);
    }

    @Test
    void aCursorIsRefusedByEveryQueryButItsOwn() {
        success(1, Map.of());
        sequence();
        String cursor = page(AuditOrder.NEWEST, Optional.empty(), 2).next().orElseThrow();

        for (String forged :
                List.of("", "x", "AAAA", "ü", "' OR 1=1", cursor.substring(1), "B" + cursor.substring(1))) {
            assertRefused(new AuditQuery(filter(), AuditOrder.NEWEST, Optional.of(forged), 2), "not issued");
        }
        assertRefused(new AuditQuery(filter(), AuditOrder.OLDEST, Optional.of(cursor), 2), "another query");
        assertRefused(new AuditQuery(AuditFilter.ALL, AuditOrder.NEWEST, Optional.of(cursor), 2), "another query");
        assertRefused(
                new AuditQuery(
                        AuditFilter.ALL.with(Field.TENANT, Set.of("other")), AuditOrder.NEWEST, Optional.of(cursor), 2),
                "another query");
    }

    private void assertRefused(AuditQuery query, String sentence) {
        assertThatThrownBy(() -> log(node()).find(query).toCompletableFuture().join())
                .hasCauseInstanceOf(AuditQuery.BadCursor.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void aPageThatHasSpentItsBudgetSaysSoAndTheNextGoesOn() {
        success(1, Map.of());
        success(2, Map.of());
        sequence();
        AuditLog impatient = log(inSingleSteps(node()), Duration.ZERO.minusMillis(1));

        for (AuditOrder order : AuditOrder.values()) {
            List<Long> seen = new ArrayList<>();
            Optional<String> cursor = Optional.empty();
            int pages = 0;
            AuditPage page;
            do {
                page = impatient
                        .find(new AuditQuery(filter(), order, cursor, 100))
                        .toCompletableFuture()
                        .join();
                seen.addAll(positions(page.events()));
                cursor = page.next();
                pages++;
            } while (page.end() == AuditPage.End.BUDGET);
            assertThat(pages).isGreaterThan(8);
            assertThat(page.end()).isEqualTo(AuditPage.End.COMPLETE);
            assertThat(seen).isEqualTo(positions(own(order)));
        }
    }

    /** The same tables, which look at one position at a time. */
    private static AuditTables inSingleSteps(AuditTables tables) {
        return (AuditTables) Proxy.newProxyInstance(
                AuditTables.class.getClassLoader(), new Class<?>[] {AuditTables.class}, (proxy, method, given) -> {
                    if (method.getName().equals("windows")) {
                        Window range = (Window) given[1];
                        List<Window> windows = new ArrayList<>(LongStream.range(range.from(), range.to())
                                .mapToObj(at -> new Window(at, at + 1))
                                .toList());
                        if (given[2] == AuditOrder.NEWEST) {
                            java.util.Collections.reverse(windows);
                        }
                        return windows;
                    }
                    try {
                        return method.invoke(tables, given);
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    }
                });
    }

    // ---- counts

    @Test
    void killsRunsProcessorTimeAndTrafficAreCounted() {
        success(1, Map.of());
        killed(2, KillReason.MEMORY, Map.of());
        sequence();
        killed(3, KillReason.MEMORY, Map.of());
        writeEvents(
                run(4),
                List.of(
                        Fixtures.submitted(run(4), noon.plus(Duration.ofDays(400)), own(Map.of())),
                        new RunEvent.AttemptStarting(noon.plus(Duration.ofDays(400)), "node-1", 1),
                        new RunEvent.AttemptStarted(
                                noon.plus(Duration.ofDays(400)), "node-1", 1, "sandbox", Optional.empty()),
                        new RunEvent.EgressUsed(
                                noon,
                                "node-1",
                                1,
                                3,
                                1,
                                100,
                                200,
                                List.of(new EgressReach("tcp", "45.77.77.10", 443, 3, 90, 180)))));
        sequence();

        assertThat(counts(Measure.KILLS)).containsExactly(Map.entry("MEMORY", 2L));
        assertThat(counts(Measure.RUNS)).containsExactly(Map.entry("", 3L));
        assertThat(counts(Measure.ENDS)).containsOnly(Map.entry("RunKilled", 2L), Map.entry("RunSucceeded", 1L));
        assertThat(counts(Measure.CPU_MILLIS)).containsExactly(Map.entry("", 3 * 4990L));
        assertThat(counts(Measure.EGRESS_BYTES)).containsExactly(Map.entry("", 300L));
    }

    @Test
    void denialsAreNotAddedTwiceAlthoughEventsSayWhatAnAttemptHadSoFar() {
        List<RunEvent> events =
                new ArrayList<>(Fixtures.success(run(1), noon, own(Map.of())).subList(0, 3));
        events.add(denied(1, 5, 0));
        events.add(denied(1, 9, 2));
        events.add(denied(2, 4, 0));
        List<JournalEntry> entries = JournalWriter.entries(run(1), events);
        var owner = writer().entity(run(1));
        written.put(run(1), List.of());
        for (JournalEntry entry : entries) {
            writer().append(owner, List.of(entry)).toCompletableFuture().join();
            sequence();
        }

        assertThat(counts(Measure.DENIALS))
                .containsOnly(Map.entry("tcp://10.0.0.1:80", 13L), Map.entry("dns://\uFFFD.example:53", 2L));
    }

    private RunEvent denied(int attempt, long first, long second) {
        List<EgressDenial> denials = new ArrayList<>();
        denials.add(new EgressDenial("tcp", "10.0.0.1", 80, first));
        if (second > 0) {
            denials.add(new EgressDenial("dns", "\u0000.example", 53, second));
        }
        return new RunEvent.EgressDenied(noon, "node-1", attempt, first + second, 2, denials);
    }

    private Set<Map.Entry<String, Long>> counts(Measure measure) {
        AuditCounts counts = log(node())
                .counts(
                        measure,
                        Optional.of(tenant),
                        noon.truncatedTo(java.time.temporal.ChronoUnit.DAYS),
                        noon.plus(Duration.ofDays(1)))
                .toCompletableFuture()
                .join();
        assertThat(counts.measure()).isEqualTo(measure.name());
        return counts.counts().stream()
                .map(count -> Map.entry(count.key(), count.total()))
                .collect(Collectors.toSet());
    }

    // ---- given

    /** The n-th run of this test. */
    protected RunId run(int n) {
        return Fixtures.run(300_000 + test * 100 + n);
    }

    private Map<String, String> own(Map<String, String> labels) {
        Map<String, String> all = new HashMap<>(labels);
        all.put(RunSpec.TENANT_LABEL, tenant);
        return all;
    }

    protected void success(int n, Map<String, String> labels) {
        writeEvents(run(n), Fixtures.success(run(n), noon, own(labels)));
    }

    private void killed(int n, KillReason reason, Map<String, String> labels) {
        List<RunEvent> events =
                new ArrayList<>(Fixtures.success(run(n), noon, own(labels)).subList(0, 3));
        events.add(new RunEvent.RunKilled(noon, "node-1", 1, reason, Optional.empty(), Fixtures.USAGE));
        writeEvents(run(n), events);
    }

    private void writeEvents(RunId run, List<RunEvent> events) {
        writer().write(run, events);
        written.put(run, events);
    }

    /** Lets a new sequencer do all there is to do. */
    protected void sequence() {
        AuditTables tables = node();
        AuditSequencer sequencer = log(tables).sequencer(guard());
        // An entry is settled once no transaction is open that began before it, and any connection may have one.
        await().atMost(SOON).until(() -> {
            tables.changed(written.keySet());
            step(sequencer);
            return areSequenced();
        });
    }

    private static void step(AuditSequencer sequencer) {
        while (sequencer.round().isZero()) {
            Thread.onSpinWait();
        }
    }

    protected static AuditBatch batch(AuditTables tables, Seat seat, News news) {
        Set<RunId> runs = new HashSet<>();
        news.items().forEach(item -> runs.add(item.run()));
        BatchBuilder builder = new BatchBuilder(seat.size(), Instant.EPOCH, tables.facts(runs));
        news.items().forEach(builder::add);
        return builder.build(tables.totals(builder.tallies()), tables.block(Block.of(seat.size())));
    }

    // ---- then

    /** Waits until all events that this test has written with their content have a position. */
    private void awaitSequenced() {
        await().atMost(SOON).until(this::areSequenced);
    }

    private boolean areSequenced() {
        int events = written.values().stream().mapToInt(List::size).sum() + acts;
        return own(AuditOrder.OLDEST).size() >= events;
    }

    /** The whole order of the store: dense, each event once, each run's in their order, and as the journal has them. */
    protected void assertWholeOrder() {
        List<AuditEventView> all = all(AuditFilter.ALL, AuditOrder.OLDEST);
        assertThat(positions(all))
                .isEqualTo(LongStream.range(0, all.size()).boxed().toList());
        assertThat(log(node()).head().toCompletableFuture().join().size()).isEqualTo(all.size());
        Map<RunId, Long> last = new HashMap<>();
        for (AuditEventView event : all) {
            assertThat(event.seq()).isEqualTo(last.getOrDefault(event.run(), 0L) + 1);
            last.put(event.run(), event.seq());
        }
        written.forEach((run, events) -> {
            if (!events.isEmpty()) {
                assertThat(last).containsEntry(run, (long) events.size());
            }
        });
    }

    private AuditFilter filter() {
        return AuditFilter.ALL.with(Field.TENANT, Set.of(tenant));
    }

    protected List<AuditEventView> own(AuditOrder order) {
        return all(filter(), order);
    }

    private List<AuditEventView> found(AuditFilter filter) {
        return all(filter, AuditOrder.NEWEST);
    }

    private AuditPage page(AuditOrder order, Optional<String> cursor, int limit) {
        return log(node())
                .find(new AuditQuery(filter(), order, cursor, limit))
                .toCompletableFuture()
                .join();
    }

    private List<AuditEventView> all(AuditFilter filter, AuditOrder order) {
        List<AuditEventView> all = new ArrayList<>();
        AuditLog log = log(node());
        Optional<String> cursor = Optional.empty();
        AuditPage page;
        do {
            page = log.find(new AuditQuery(filter, order, cursor, AuditQuery.LIMIT_MAX))
                    .toCompletableFuture()
                    .join();
            all.addAll(page.events());
            cursor = page.next();
        } while (page.end() != AuditPage.End.COMPLETE);
        return all;
    }

    private static List<Long> positions(List<AuditEventView> events) {
        return events.stream().map(AuditEventView::position).toList();
    }
}
