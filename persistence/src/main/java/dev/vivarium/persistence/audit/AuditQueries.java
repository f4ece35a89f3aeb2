package dev.vivarium.persistence.audit;

import dev.vivarium.protocol.api.AuditCounts;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.AuditPage;
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
     * Totals of a measure whose periods begin within a time.
     *
     * @return one more than {@link #COUNTS_MAX} if there are more
     */
    CompletionStage<AuditCounts> counts(Tally.Measure measure, Optional<String> tenant, Instant since, Instant until);

    /** How far the order reaches. */
    CompletionStage<AuditHead> head();
}
