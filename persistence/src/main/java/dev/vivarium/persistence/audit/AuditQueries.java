package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.TilePath;
import dev.vivarium.protocol.api.AuditCounts;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.AuditPage;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Queries over the events of all runs, from any node. Stages fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} while the store does not answer.
 */
public interface AuditQueries {
    /** The most totals that one query gives. */
    int COUNTS_MAX = 10_000;

    /** One page of events. Fails with {@link AuditQuery.BadCursor} for a cursor that is not this query's. */
    CompletionStage<AuditPage> find(AuditQuery query);

    /**
     * The first events of a range of positions, the oldest first, as far as one look goes: for readers that go on from
     * {@link Stretch#next}.
     *
     * @param limit events at most, 1 to {@value AuditQuery#LIMIT_MAX}
     */
    CompletionStage<Stretch> read(AuditFilter filter, Window range, int limit);

    /**
     * The lines of an export from a position on, as many as fit in memory for many readers. Fails with {@link
     * dev.vivarium.persistence.audit.tlog.TreeDamaged} as {@link #log} does.
     *
     * @param at the export's first position, or the one where the part before has ended
     */
    CompletionStage<ExportPart> export(ExportRange range, long at);

    /**
     * Totals of a measure whose periods begin within a time.
     *
     * @return one more than {@link #COUNTS_MAX} if there are more
     */
    CompletionStage<AuditCounts> counts(Tally.Measure measure, Optional<String> tenant, Instant since, Instant until);

    /** How far the order reaches. */
    CompletionStage<AuditHead> head();

    /**
     * How far the log reaches, which is right behind the order. Fails with {@link
     * dev.vivarium.persistence.audit.tlog.TreeDamaged}, as does {@link #proof}, while the store's log is not the one that
     * this node has seen.
     */
    CompletionStage<LogHead> log();

    /**
     * A tile of the log's tree; empty when the tree of the last checkpoint does not have it. Fails with {@link
     * dev.vivarium.persistence.audit.tlog.TreeDamaged} as {@link #log} does.
     */
    CompletionStage<Optional<Blob>> tile(TilePath path);

    /**
     * What proves that the log begins with the one that had this many events, as a witness wants it; empty when the last
     * checkpoint has fewer, or there is none.
     */
    CompletionStage<Optional<String>> consistency(long earlier);

    /** What proves a run's history at the log's last checkpoint; empty while there is none. */
    CompletionStage<Optional<RunProof>> proof(RunId run);
}
