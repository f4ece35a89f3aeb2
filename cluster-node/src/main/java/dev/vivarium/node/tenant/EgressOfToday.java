package dev.vivarium.node.tenant;

import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.Tally;
import dev.vivarium.protocol.api.AuditCounts;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What tenants have sent and received today (UTC), by the counts of all events, in all attempts that have ended and whose
 * last event is counted. That takes some seconds from the end: the sequencer's lag, and the time until the next reading.
 * Of attempts whose node was lost nobody knows. While the store is away, the last reading holds until midnight. Of more
 * than {@value AuditQueries#COUNTS_MAX} tenants with egress on one day the rest counts nothing, and the log says so.
 * Stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable}. Thread-safe.
 */
public final class EgressOfToday {
    private static final Logger LOG = LoggerFactory.getLogger(EgressOfToday.class);

    private final AuditQueries audit;
    private final Clock clock;
    private volatile Reading last = new Reading(Instant.EPOCH, Map.of());

    private record Reading(Instant day, Map<String, Long> bytes) {}

    public EgressOfToday(AuditQueries audit, Clock clock) {
        this.audit = audit;
        this.clock = clock;
    }

    /** What was read last of the tenant, when that was today. */
    public TenantUse usedBy(Tenant tenant) {
        Reading read = last;
        return read.day.equals(today())
                ? TenantUse.ofEgress(read.bytes.getOrDefault(tenant.name(), 0L))
                : TenantUse.NONE;
    }

    /** Reads again. */
    public CompletionStage<Done> refresh() {
        Instant day = today();
        return audit.counts(Tally.Measure.EGRESS_BYTES, Optional.empty(), day, day.plus(1, ChronoUnit.DAYS))
                .thenApply(counts -> {
                    if (counts.counts().size() > AuditQueries.COUNTS_MAX) {
                        LOG.warn(
                                "More than {} tenants have used the network today; the quota of egress a day is not held"
                                        + " for the others.",
                                AuditQueries.COUNTS_MAX);
                    }
                    last = new Reading(
                            day,
                            counts.counts().stream()
                                    .collect(Collectors.toMap(
                                            AuditCounts.Count::tenant, AuditCounts.Count::total, Long::sum)));
                    return Done.getInstance();
                });
    }

    private Instant today() {
        return clock.instant().truncatedTo(ChronoUnit.DAYS);
    }
}
