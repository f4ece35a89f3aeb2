package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.retention.RetentionRules;
import dev.vivarium.persistence.retention.RetentionSweep;
import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.persistence.store.KeptData.Size;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of runs is deleted once its time is over, on every store. Each test has a tenant of its own. */
public abstract class RetentionContract {
    private static final AtomicInteger TESTS = new AtomicInteger();
    private static final Duration KEPT = Duration.ofDays(30);
    private static final int MEBIBYTE = 1 << 20;
    private static final int RUNS_OF_A_SWEEP = 90;
    private static final Duration MONTH = Duration.ofDays(30);
    private static final int MONTHS = 4;

    private final int test = TESTS.incrementAndGet();
    private final Tenant tenant = new Tenant("keeping-" + test);
    private final Rules rules = new Rules();
    private final List<String> deleted = Collections.synchronizedList(new ArrayList<>());

    protected abstract Store store();

    protected abstract JournalWriter writer();

    /** For ever, but for tenants that say otherwise. */
    private static final class Rules implements RetentionRules {
        private final Map<Tenant, Map<Kind, Duration>> kept = new HashMap<>();

        void keep(Tenant tenant, Kind kind, Duration time) {
            kept.computeIfAbsent(tenant, first -> new EnumMap<>(Kind.class)).put(kind, time);
        }

        @Override
        public Optional<Duration> kept(Tenant tenant, Kind kind) {
            return Optional.ofNullable(kept.getOrDefault(tenant, Map.of()).get(kind));
        }

        @Override
        public Optional<Duration> eventsKept(Tenant tenant) {
            return Optional.empty();
        }

        @Override
        public Optional<Duration> shortestOfEvents() {
            return Optional.empty();
        }

        @Override
        public Optional<Duration> shortest(Kind kind) {
            return kept.values().stream()
                    .map(each -> Optional.ofNullable(each.get(kind)))
                    .flatMap(Optional::stream)
                    .min(Duration::compareTo);
        }
    }

    @Test
    void outputIsDeletedOnceItsTimeAfterTheEndOfTheRunIsOver() {
        rules.keep(tenant, Kind.OUTPUT, KEPT);
        RunId run = ended(1, tenant);
        print(run, "hello");

        sweep(Fixtures.NOON.plus(KEPT));
        assertThat(join(store().output().end(run))).isEqualTo(5);
        assertThat(deleted).isEmpty();

        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(1));
        assertThat(join(store().output().end(run))).isZero();
        assertThat(join(store().output().read(run, 0, MEBIBYTE))).isEmpty();
        assertThat(deleted).containsExactly(tenant + " OUTPUT 1 PT720H");

        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(2));
        assertThat(deleted).hasSize(1);
    }

    @Test
    void outputOfManyPartsIsDeletedAsAWhole() {
        rules.keep(tenant, Kind.OUTPUT, KEPT);
        RunId run = ended(1, tenant);
        for (int part = 0; part < 33; part++) {
            join(store().output().append(run, List.of(chunk((long) part * MEBIBYTE, Blob.of(new byte[MEBIBYTE])))));
        }
        assertThat(join(store().output().end(run))).isEqualTo(33L * MEBIBYTE);
        Awaitility.await("the list of runs")
                .untilAsserted(() -> assertThat(sizes()).containsEntry(tenant, new Size(33L * MEBIBYTE, 0)));

        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(1));

        assertThat(join(store().output().read(run, 0, MEBIBYTE))).isEmpty();
        assertThat(join(store().output().read(run, 32L * MEBIBYTE, MEBIBYTE))).isEmpty();
    }

    @Test
    void aRunThatHasNotEndedKeepsItsOutputHoweverOldItIs() {
        rules.keep(tenant, Kind.OUTPUT, KEPT);
        RunId run = run(1);
        writer().write(run, events(run, tenant).subList(0, 3));
        print(run, "hello");

        sweep(Fixtures.NOON.plus(KEPT.multipliedBy(100)));

        assertThat(join(store().output().end(run))).isEqualTo(5);
    }

    @Test
    void tenantsHaveRulesOfTheirOwn() {
        Tenant other = new Tenant("keeping-longer-" + test);
        Tenant held = new Tenant("held-" + test);
        rules.keep(tenant, Kind.OUTPUT, KEPT);
        rules.keep(other, Kind.OUTPUT, KEPT.multipliedBy(2));
        RunId first = ended(1, tenant);
        RunId second = ended(2, tenant);
        RunId third = ended(3, other);
        RunId fourth = ended(4, held);
        List.of(first, second, third, fourth).forEach(run -> print(run, "hello"));

        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(1));

        assertThat(List.of(first, second, third, fourth))
                .extracting(run -> join(store().output().end(run)))
                .containsExactly(0L, 0L, 5L, 5L);
        assertThat(deleted).containsExactly(tenant + " OUTPUT 2 PT720H");
    }

    @Test
    void artifactsAreLetGoOfAndWhatAnotherRunHasStays() {
        rules.keep(tenant, Kind.ARTIFACTS, KEPT);
        Digest shared = join(store().blobs().write(tenant, Blob.ofUtf8("shared " + test)));
        Digest own = join(store().blobs().write(tenant, Blob.ofUtf8("own " + test)));
        RunId first = ended(1, tenant);
        RunId live = run(2);
        writer().write(live, events(live, tenant).subList(0, 3));
        join(store().blobs().keep(tenant, Set.of(shared, own), first));
        join(store().blobs().keep(tenant, Set.of(shared), live));

        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(1));
        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(2));

        assertThat(deleted).containsExactly(tenant + " ARTIFACTS 1 PT720H");
        assertThat(holders(own)).isEmpty();
        assertThat(holders(shared)).containsExactly(live);
        // Contents without a holder stay for the grace of blobs.
        assertThat(join(store().blobs().sizes(tenant, Set.of(shared, own)))).hasSize(2);
    }

    @Test
    void whatATenantUnderAHoldHasStaysUntilTheHoldIsRemoved() {
        rules.keep(tenant, Kind.OUTPUT, KEPT);
        rules.keep(tenant, Kind.ARTIFACTS, KEPT);
        Digest file = join(store().blobs().write(tenant, Blob.ofUtf8("held " + test)));
        RunId run = ended(1, tenant);
        print(run, "hello");
        join(store().blobs().keep(tenant, Set.of(file), run));
        join(store().holds().put(hold()));

        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(1));
        assertThat(join(store().output().end(run))).isEqualTo(5);
        assertThat(holders(file)).containsExactly(run);
        assertThat(deleted).isEmpty();

        assertThat(join(store().holds().remove(tenant))).contains(hold());
        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(2));
        assertThat(join(store().output().end(run))).isZero();
        assertThat(holders(file)).isEmpty();
        assertThat(deleted).containsExactly(tenant + " OUTPUT 1 PT720H", tenant + " ARTIFACTS 1 PT720H");
    }

    @Test
    void whatIsThereOfARunIsKnownBeforeAndAfterItsDeletion() {
        RunId run = ended(1, tenant);
        assertThat(kindsOf(run)).isEmpty();
        print(run, "hello");
        assertThat(join(store().output().isDeleted(run))).isFalse();
        Digest file = join(store().blobs().write(tenant, Blob.ofUtf8("known " + test)));
        join(store().blobs().keep(tenant, Set.of(file), run));
        assertThat(kindsOf(run)).containsExactly(Kind.OUTPUT, Kind.ARTIFACTS);

        assertThat(store().keptData().delete(Kind.OUTPUT, tenant, run)).isEqualTo(Deletion.DELETED);
        assertThat(kindsOf(run)).containsExactly(Kind.ARTIFACTS);
        assertThat(store().keptData().delete(Kind.ARTIFACTS, tenant, run)).isEqualTo(Deletion.DELETED);
        assertThat(kindsOf(run)).isEmpty();
        assertThat(store().keptData().delete(Kind.OUTPUT, tenant, run)).isEqualTo(Deletion.NOTHING);
        // A node that was frozen with the attempt appends what it still had, at the beginning or where it stopped.
        assertThat(join(store().output().append(run, List.of(chunk(0, Blob.ofUtf8("late"))))))
                .isEqualTo(OutputStore.Appended.IN_PART);
        assertThat(join(store().output().append(run, List.of(chunk(5, Blob.ofUtf8("late"))))))
                .isEqualTo(OutputStore.Appended.IN_PART);
        assertThat(join(store().output().end(run))).isZero();
        assertThat(join(store().output().isDeleted(run))).isTrue();
        assertThat(kindsOf(run)).isEmpty();
    }

    private List<Kind> kindsOf(RunId run) {
        return Arrays.stream(Kind.values())
                .filter(kind -> store().keptData().has(kind, run))
                .toList();
    }

    @Test
    void aContentIsDeletedAtOnceUnlessARunHasIt() {
        Digest file = join(store().blobs().write(tenant, Blob.ofUtf8("wanted " + test)));
        RunId live = run(1);
        RunId ended = ended(2, tenant);
        join(store().blobs().hold(tenant, Set.of(file), live));
        join(store().blobs().keep(tenant, Set.of(file), ended));

        assertThat(store().keptData().isInUse(tenant, file)).isTrue();
        assertThat(store().keptData().deleteContent(tenant, file)).isFalse();
        join(store().blobs().release(live));
        assertThat(store().keptData().deleteContent(tenant, file)).isFalse();
        store().keptData().delete(Kind.ARTIFACTS, tenant, ended);
        assertThat(store().keptData().deleteContent(new Tenant("stranger"), file))
                .isFalse();
        assertThat(store().keptData().isInUse(tenant, file)).isFalse();
        assertThat(store().keptData().deleteContent(tenant, file)).isTrue();
        assertThat(store().keptData().deleteContent(tenant, file)).isFalse();
        assertThat(join(store().blobs().sizes(tenant, Set.of(file)))).isEmpty();

        join(store().blobs().write(tenant, Blob.ofUtf8("wanted " + test)));
        assertThat(join(store().blobs().sizes(tenant, Set.of(file)))).hasSize(1);
    }

    @Test
    void aHoldOfOneTenantIsNoneOfAnother() {
        Tenant other = new Tenant("not-held-" + test);
        rules.keep(tenant, Kind.OUTPUT, KEPT);
        rules.keep(other, Kind.OUTPUT, KEPT);
        RunId theirs = ended(1, other);
        print(theirs, "hello");
        join(store().holds().put(hold()));

        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(1));

        assertThat(join(store().output().end(theirs))).isZero();
    }

    @Test
    void noDeletionFollowsAHoldThatIsPutInTheMiddleOfSweeps() {
        rules.keep(tenant, Kind.OUTPUT, KEPT);
        List<RunId> runs = IntStream.range(0, RUNS_OF_A_SWEEP)
                .mapToObj(n -> ended(n + 1, tenant))
                .toList();
        runs.forEach(run -> print(run, "hello"));
        CountDownLatch begun = new CountDownLatch(1);
        Runnable visited = () -> {
            if (begun.getCount() > 0 && withOutput(runs).size() < RUNS_OF_A_SWEEP) {
                begun.countDown();
            }
        };
        List<CompletableFuture<Void>> sweeps = IntStream.range(0, 2)
                .mapToObj(node -> CompletableFuture.runAsync(
                        () -> sweep(Fixtures.NOON.plus(KEPT).plusSeconds(1), visited)))
                .toList();

        await(begun);
        join(store().holds().put(hold()));
        List<RunId> kept = withOutput(runs);
        sweeps.forEach(CompletableFuture::join);
        sweep(Fixtures.NOON.plus(KEPT).plusSeconds(2));

        assertThat(kept).isNotEmpty().hasSizeLessThan(RUNS_OF_A_SWEEP);
        assertThat(withOutput(runs)).isEqualTo(kept);
    }

    @Test
    void whatIsKeptOfATenantIsTheOutputOfItsEndedRunsAndEachOfItsContentsOnce() {
        Tenant other = new Tenant("kept-of-another-" + test);
        RunId ended = ended(1, tenant);
        RunId theirs = ended(2, other);
        RunId live = run(3);
        writer().write(live, events(live, tenant).subList(0, 3));
        List.of(ended, theirs, live).forEach(run -> print(run, "hello"));
        Digest file = join(store().blobs().write(tenant, Blob.ofUtf8("seven b")));
        join(store().blobs().write(tenant, Blob.ofUtf8("seven b")));
        join(store().blobs().keep(tenant, Set.of(file), ended));

        Awaitility.await("the list of runs").untilAsserted(() -> assertThat(sizes())
                .containsEntry(tenant, new Size(5, 7))
                .containsEntry(other, new Size(5, 0)));
        store().keptData().delete(Kind.OUTPUT, tenant, ended);
        assertThat(sizes()).containsEntry(tenant, new Size(0, 7)).doesNotContainKey(new Tenant("nobody"));
        assertThat(store().keptData().sizes(() -> false)).isEmpty();
    }

    private Map<Tenant, Size> sizes() {
        return store().keptData().sizes(() -> true).orElseThrow();
    }

    @Test
    void aBlobThatTheStoreDidNotHaveIsObservedOnce() {
        List<String> stored = Collections.synchronizedList(new ArrayList<>());
        store().blobs().observe((of, bytes) -> stored.add(of + " " + bytes));
        try {
            join(store().blobs().write(tenant, Blob.ofUtf8("eleven byte")));
            join(store().blobs().write(tenant, Blob.ofUtf8("eleven byte")));

            assertThat(stored).containsExactly(tenant + " 11");
        } finally {
            store().blobs().observe((of, bytes) -> {});
        }
    }

    /** Months pass in an instant: the clock is a parameter. */
    @Test
    protected void aStoreThatKeepsRunsForTwoMonthsDoesNotGrowAndItsLogStaysProven(@TempDir Path folder)
            throws IOException {
        List<RunId> all = new ArrayList<>();
        Blob idempotencyKey = Blob.ofUtf8("a key of the first run " + test);
        String proof = "";
        try (RunSweeps sweeps = new RunSweeps(store(), writer(), tenant, MONTH.multipliedBy(2), folder)) {
            for (int month = 0; month < MONTHS; month++) {
                Instant now = Fixtures.NOON.plus(MONTH.multipliedBy(month));
                List<RunId> these = List.of(run(2 * month + 1), run(2 * month + 2));
                all.addAll(these);
                sweeps.run(now, these);
                print(these.get(0), "hello");
                Digest file = join(store().blobs().write(tenant, Blob.ofUtf8("file of a month " + test)));
                join(store().blobs().keep(tenant, Set.of(file), these.get(0)));
                if (month == 0) {
                    join(store().idempotencyKeys().claim(idempotencyKey, these.get(0)));
                    proof = sweeps.proof(these.get(0));
                }

                sweeps.sweep(now.plusSeconds(1));

                List<RunId> kept = all.subList(Math.max(0, all.size() - 4), all.size());
                assertThat(sweeps.listed()).isEqualTo(kept);
                assertThat(sweeps.ordered(all)).isEqualTo(4 * kept.size());
                assertThat(all).allMatch(run -> kept.contains(run) == rowsOf(run) > 0);
                assertThat(sweeps.findings()).isEmpty();
            }
            // The history of a run that is gone is proven to whoever has kept it.
            assertThat(Verify.check(proof, sweeps.key()).verdict()).isEqualTo(Verify.Verdict.PROVEN);
            assertThat(join(store().journal().state(all.get(0)))).isEqualTo(RunState.initial());
            assertThat(join(store().idempotencyKeys().claim(idempotencyKey, run(99))))
                    .isEqualTo(run(99));
        }
    }

    @Test
    protected void runsOfATenantUnderAHoldStayUntilTheHoldIsRemoved(@TempDir Path folder) throws IOException {
        List<RunId> runs = List.of(run(1), run(2));
        Instant later = Fixtures.NOON.plus(MONTH.multipliedBy(100));
        try (RunSweeps sweeps = new RunSweeps(store(), writer(), tenant, MONTH, folder)) {
            sweeps.run(Fixtures.NOON, runs);
            join(store().holds().put(hold()));

            sweeps.sweep(later);
            assertThat(sweeps.listed()).isEqualTo(runs);
            assertThat(store().endedRuns().orElseThrow().delete(tenant, runs)).isEqualTo(Deletion.HELD);
            assertThat(sweeps.ordered(runs)).isEqualTo(8);

            join(store().holds().remove(tenant));
            sweeps.sweep(later);
            assertThat(sweeps.listed()).isEmpty();
            assertThat(sweeps.findings()).isEmpty();
        }
    }

    /** Rows of a run in the store, in whatever table. */
    protected abstract int rowsOf(RunId run);

    private LegalHold hold() {
        return new LegalHold(
                tenant,
                Optional.of("case 4711"),
                new Principal(Principal.Kind.TOKEN, "ops"),
                Fixtures.NOON.truncatedTo(ChronoUnit.MILLIS));
    }

    private List<RunId> withOutput(List<RunId> runs) {
        return runs.stream().filter(run -> join(store().output().end(run)) > 0).toList();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    /** The runs that keep a content of this test's tenant. */
    protected abstract List<RunId> holders(String tenant, Digest digest);

    private List<RunId> holders(Digest digest) {
        return holders(tenant.name(), digest);
    }

    private void sweep(Instant now) {
        sweep(now, () -> {});
    }

    /** @param visited called before each run */
    private void sweep(Instant now, Runnable visited) {
        new RetentionSweep(
                        store().keptData(),
                        store().journal(),
                        rules,
                        (of, kind, runs, kept) -> deleted.add(of + " " + kind + " " + runs + " " + kept),
                        Clock.fixed(now, ZoneOffset.UTC))
                .sweep(() -> {
                    visited.run();
                    return true;
                });
    }

    private RunId run(int n) {
        return Fixtures.run(500_000 + test * 100 + n);
    }

    private RunId ended(int n, Tenant of) {
        RunId run = run(n);
        writer().write(run, events(run, of));
        return run;
    }

    private static List<RunEvent> events(RunId run, Tenant of) {
        return Fixtures.success(run, Fixtures.NOON, Map.of(RunSpec.TENANT_LABEL, of.name()));
    }

    private void print(RunId run, String text) {
        join(store().output().begin(run, 1));
        join(store().output().append(run, List.of(chunk(0, Blob.ofUtf8(text)))));
    }

    private static OutputChunk chunk(long offset, Blob data) {
        return new OutputChunk(1, new ProcessId(1), Stream.STDOUT, offset, Fixtures.NOON, data);
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
