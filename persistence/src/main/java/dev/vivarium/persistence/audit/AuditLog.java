package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.Tile;
import dev.vivarium.persistence.audit.tlog.TilePath;
import dev.vivarium.persistence.audit.tlog.TreeDamaged;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.AuditCounts;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.AuditPage;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The events of all runs in one order: what a node asks, and what the cluster's one sequencer does.
 */
public final class AuditLog implements AuditQueries {
    /** How long a page may look for events before it ends as it is. */
    private static final Duration BUDGET = Duration.ofSeconds(1);

    private final AuditTables tables;
    private final Threads threads;
    private final Clock clock;
    private final AuditReader reader;
    private volatile CheckpointGuard guard = CheckpointGuard.WITHOUT_KEYS;

    /** The store's threads for work that blocks. */
    public interface Threads {
        /**
         * Runs work.
         *
         * @param what completes the sentence "The store cannot ...", for the error
         */
        <T> CompletionStage<T> run(String what, Supplier<T> work);
    }

    /** A log on a store's tables. */
    public AuditLog(AuditTables tables, Threads threads, Clock clock) {
        this(tables, threads, clock, BUDGET);
    }

    AuditLog(AuditTables tables, Threads threads, Clock clock, Duration budget) {
        this.tables = tables;
        this.threads = threads;
        this.clock = clock;
        this.reader = new AuditReader(tables, clock, budget);
    }

    /**
     * Begins to give events positions, for this node's cluster. Any earlier sequencer, wherever it runs, writes nothing
     * any more once the new one has read where it stopped.
     */
    public AuditSequencer sequence() {
        AuditSequencer sequencer = sequencer(guard);
        sequencer.start();
        return sequencer;
    }

    /** A sequencer that takes its steps when it is told to. */
    AuditSequencer sequencer(CheckpointGuard guard) {
        return new AuditSequencer(tables, guard, clock);
    }

    /** Signs and examines checkpoints with this guard from now on; before, nothing is signed. */
    public AuditLog guarded(CheckpointGuard by) {
        guard = by;
        return this;
    }

    /**
     * Compares the store's log with what this node knows of it, and keeps its last checkpoint as seen. The stage fails
     * with {@link dev.vivarium.persistence.audit.tlog.TreeDamaged} when it is not the log that was seen before.
     */
    public CompletionStage<LogHead> examine() {
        return threads.run("read the log of events", () -> {
            LogHead head = tables.log();
            if (guard.examine(head, tables::tile) == CheckpointGuard.Standing.GOES_ON) {
                guard.saw(head.checkpoint());
            }
            return head;
        });
    }

    /**
     * Begins a check of the whole log, up to its last checkpoint, which {@link #step} carries out. Empty on a node without
     * a key of the log, and while nothing was signed.
     */
    public CompletionStage<Optional<LogCheck>> beginCheck() {
        return guard.keys().isEmpty()
                ? CompletableFuture.completedStage(Optional.empty())
                : check(guard.keys().get().verifiers());
    }

    /** Begins a check by these keys, whatever this node's are. */
    public CompletionStage<Optional<LogCheck>> check(List<Verify.Key> keys) {
        return threads.run("check the log of events", () -> LogCheck.begin(tables, keys));
    }

    /** Takes a check's next step, and says how many events and entries it has read. */
    public CompletionStage<Integer> step(LogCheck check) {
        return threads.run("check the log of events", check::step);
    }

    /** What the log has of a run; empty when that is not what the journal has, or when the log is behind. */
    public CompletionStage<Optional<LoggedRun>> logged(RunId run) {
        return threads.run("compare run " + run + " with the log", () -> {
            requireOneHistory();
            return LoggedRun.of(run, tables);
        });
    }

    /** Whether a checkpoint has an act, at this position or later, that says that events at these positions are deleted. */
    public CompletionStage<Boolean> isDeletionLogged(Positions positions, long from) {
        return threads.run("read the log of events", () -> {
            requireOneHistory();
            return LoggedRun.isDeletionLogged(positions, from, tables);
        });
    }

    @Override
    public CompletionStage<LogHead> log() {
        return threads.run("read the log of events", () -> {
            requireOneHistory();
            return tables.log();
        });
    }

    private void requireOneHistory() {
        guard.refusal().ifPresent(sentence -> {
            throw new TreeDamaged(sentence);
        });
    }

    @Override
    public CompletionStage<Optional<Blob>> tile(TilePath path) {
        return threads.run("read the log of events", () -> {
            requireOneHistory();
            if (!path.isIn(tables.log().claimedSize())) {
                return Optional.empty();
            }
            byte[] hashes = tables.tile(path.level(), path.index(), path.width());
            return Optional.of(Blob.of(Tile.first(path.width(), hashes)));
        });
    }

    @Override
    public CompletionStage<Optional<String>> consistency(long earlier) {
        return threads.run("read the log of events", () -> {
            requireOneHistory();
            LogHead head = tables.log();
            return head.checkpoint().isEmpty() || earlier > head.claimedSize()
                    ? Optional.empty()
                    : Optional.of(Consistency.of(earlier, head, tables));
        });
    }

    @Override
    public CompletionStage<Optional<RunProof>> proof(RunId run) {
        return threads.run("prove the history of run " + run, () -> {
            requireOneHistory();
            return RunProof.of(run, tables);
        });
    }

    @Override
    public CompletionStage<AuditPage> find(AuditQuery query) {
        return threads.run("list events", () -> reader.page(query));
    }

    @Override
    public CompletionStage<Stretch> read(AuditFilter filter, AuditTables.Window range, int limit) {
        return threads.run("list events", () -> reader.stretch(filter, range, limit));
    }

    @Override
    public CompletionStage<ExportPart> export(ExportRange range, long at) {
        return threads.run("export events", () -> {
            requireOneHistory();
            return ExportPart.of(range, at, tables);
        });
    }

    @Override
    public CompletionStage<AuditCounts> counts(
            Tally.Measure measure, Optional<String> tenant, Instant since, Instant until) {
        return threads.run("count events", () -> {
            AuditHead head = tables.head();
            return new AuditCounts(
                    measure.name(),
                    tables.counts(measure, tenant, since, until).stream()
                            .limit(COUNTS_MAX + 1L)
                            .map(count -> new AuditCounts.Count(
                                    count.tally().period(),
                                    count.tally().tenant(),
                                    count.tally().key(),
                                    count.total()))
                            .toList(),
                    head);
        });
    }

    @Override
    public CompletionStage<AuditHead> head() {
        return threads.run("read the order of events", tables::head);
    }

    /** Registers a callback for runs that this node has written to, for stores whose sequencer must be told. */
    public void onNews(Consumer<RunId> news) {
        tables.onNews(news);
    }

    /** Tells the sequencer, if it runs here, of runs that any node has written to. */
    public void changed(Collection<RunId> runs) {
        tables.changed(runs);
    }
}
