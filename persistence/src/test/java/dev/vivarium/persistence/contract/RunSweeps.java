package dev.vivarium.persistence.contract;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditQuery;
import dev.vivarium.persistence.audit.AuditSequencer;
import dev.vivarium.persistence.audit.LogCheck;
import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.audit.tlog.SeenCheckpoint;
import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.retention.RetentionRules;
import dev.vivarium.persistence.retention.RunSweep;
import dev.vivarium.persistence.secrets.LogKeyFile;
import dev.vivarium.persistence.store.EndedRuns;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.TimeSpan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;

/** A node that deletes the runs of one tenant after a time, with the log that it needs for that; on any store. */
public final class RunSweeps implements AutoCloseable {
    private static final AtomicInteger ACTS = new AtomicInteger();
    private static final Duration WAIT_MAX = Duration.ofSeconds(60);

    private final Store store;
    private final JournalWriter writer;
    private final Tenant tenant;
    private final Duration kept;
    private final LogKeys keys;
    private final AuditLog audit;
    private final AuditSequencer sequencer;

    /** @param folder for the log's key */
    public RunSweeps(Store store, JournalWriter writer, Tenant tenant, Duration kept, Path folder) throws IOException {
        this.store = store;
        this.writer = writer;
        this.tenant = tenant;
        this.kept = kept;
        Path key = folder.resolve("key");
        LogKeyFile.create(key, "example.org/" + tenant);
        this.keys = LogKeyFile.read(key);
        this.audit = store.audit().guarded(new CheckpointGuard(Optional.of(keys), new NothingSeen()));
        this.sequencer = audit.sequence();
    }

    /** Runs that end at a time, once the list of runs and the log have them. */
    public void run(Instant at, List<RunId> runs) {
        runs.forEach(run -> writer.write(run, Fixtures.success(run, at, Map.of(RunSpec.TENANT_LABEL, tenant.name()))));
        Awaitility.await("the list of runs").atMost(WAIT_MAX).until(() -> listed().containsAll(runs));
        runs.forEach(run -> Awaitility.await("the log").atMost(WAIT_MAX).until(() -> join(audit.logged(run))
                .isPresent()));
    }

    /** The tenant's runs in the list of runs. */
    public List<RunId> listed() {
        return join(store.runs()
                        .find(new RunIndex.Query(
                                Set.of(),
                                Map.of(RunSpec.TENANT_LABEL, tenant.name()),
                                Optional.empty(),
                                Optional.empty(),
                                500)))
                .runs()
                .stream()
                .map(RunView::id)
                .sorted(Comparator.comparing(RunId::value))
                .toList();
    }

    /** How many events of these runs are in the order. */
    public int ordered(List<RunId> runs) {
        return join(audit.find(new AuditQuery(
                        AuditFilter.ALL.withRuns(Set.copyOf(runs)), AuditOrder.OLDEST, Optional.empty(), 500)))
                .events()
                .size();
    }

    /** Deletes what is due at this time. */
    public void sweep(Instant now) {
        sweep(now, store.endedRuns().orElseThrow());
    }

    /** The same by this way to delete. */
    public void sweep(Instant now, EndedRuns by) {
        new RunSweep(by, store.holds(), store.journal(), audit, new Rules(), new WrittenActs(), clock(now))
                .sweep(() -> true);
    }

    private static Clock clock(Instant now) {
        return Clock.fixed(now, ZoneOffset.UTC);
    }

    /** What a check of the whole log finds. */
    public List<String> findings() {
        LogCheck check = join(audit.beginCheck()).orElseThrow();
        while (!check.isDone()) {
            join(audit.step(check));
        }
        return check.findings();
    }

    /** The file by which a stranger proves a run's history. */
    public String proof(RunId run) {
        return join(audit.proof(run)).orElseThrow().text();
    }

    /** The key by which proofs are verified. */
    public String key() {
        return keys.signers().get(0).verifier();
    }

    @Override
    public void close() {
        sequencer.close();
    }

    /** What a node has seen of a log; this one has no memory. */
    private record NothingSeen() implements SeenCheckpoint {
        @Override
        public Optional<String> last() {
            return Optional.empty();
        }

        @Override
        public void keep(String checkpoint) {}
    }

    private final class Rules implements RetentionRules {
        @Override
        public Optional<Duration> kept(Tenant of, KeptData.Kind kind) {
            return Optional.empty();
        }

        @Override
        public Optional<Duration> shortest(KeptData.Kind kind) {
            return Optional.empty();
        }

        @Override
        public Optional<Duration> eventsKept(Tenant of) {
            return of.equals(tenant) ? Optional.of(kept) : Optional.empty();
        }

        @Override
        public Optional<Duration> shortestOfEvents() {
            return Optional.of(kept);
        }
    }

    private final class WrittenActs implements RunSweep.Recorder {
        @Override
        public void toDelete(Tenant of, Duration time, Positions positions, List<Act.DeletedRun> runs) {
            ActId id = new ActId(ActId.FIRST + "%025d".formatted(ACTS.incrementAndGet()));
            Act act = new Act.RunsDeleted(Fixtures.NOON, "node-1", of, new TimeSpan(time), positions, runs);
            writer.writeEntries(new RunId(id.value()), List.of(ActCodec.encode(id, act)));
        }

        @Override
        public void deleted(Tenant of, int runs, Duration time) {}
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
