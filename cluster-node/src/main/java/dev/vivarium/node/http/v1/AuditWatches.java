package dev.vivarium.node.http.v1;

import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.protocol.api.AuditHead;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** How requests wait for the order of events and for its log to go on: the node looks at each once, for all who wait. */
final class AuditWatches {
    private static final Duration INTERVAL = Duration.ofMillis(100);

    private final SharedWatch<AuditHead> order;
    private final SharedWatch<LogHead> log;

    AuditWatches(AuditQueries audit) {
        this.order = new SharedWatch<>(audit::head, INTERVAL);
        this.log = new SharedWatch<>(audit::log, INTERVAL);
    }

    /** The order, once it is as it should be; empty when it is not within a time. */
    CompletionStage<Optional<AuditHead>> order(Predicate<AuditHead> there, Duration max) {
        return order.until(there, max);
    }

    /** The log, once it is as it should be; empty when it is not within a time. */
    CompletionStage<Optional<LogHead>> log(Predicate<LogHead> there, Duration max) {
        return log.until(there, max);
    }
}
