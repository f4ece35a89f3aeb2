package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.AuditPage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads a page: window by window, so that a query for something rare says after a while how far it has looked, instead of
 * going on without end.
 */
final class AuditReader {
    /** Windows a page may look into. */
    private static final int WINDOWS_MAX = 2_000;

    private final AuditTables tables;
    private final Clock clock;
    private final Duration budget;

    AuditReader(AuditTables tables, Clock clock, Duration budget) {
        this.tables = tables;
        this.clock = clock;
        this.budget = budget;
    }

    AuditPage page(AuditQuery query) {
        Optional<AuditCursor> cursor =
                query.cursor().map(text -> AuditCursor.decode(text, query.filter(), query.order()));
        AuditHead head = tables.head();
        Found found = find(query, range(query, cursor, head));
        boolean newest = query.order() == AuditOrder.NEWEST;
        Optional<Long> next =
                switch (found.end()) {
                    case FULL, BUDGET -> Optional.of(found.goOn());
                    case COMPLETE -> newest ? Optional.empty() : Optional.of(head.size());
                };
        return new AuditPage(
                found.entries().stream().map(AuditEntry::view).toList(),
                found.end(),
                next.map(position -> new AuditCursor(position).encode(query.filter(), query.order())),
                head);
    }

    /** The first events of a range, the oldest first. */
    Stretch stretch(AuditFilter filter, Window range, int limit) {
        AuditQuery query = new AuditQuery(filter, AuditOrder.OLDEST, Optional.empty(), limit);
        AuditHead head = tables.head();
        Window there = range.and(new Window(0, head.size()));
        Found found = find(query, cut(filter, there));
        long next = found.end() == AuditPage.End.COMPLETE ? there.to() : found.goOn();
        return new Stretch(found.entries(), next, head);
    }

    /** Positions that the page may have: what the cursor leaves, cut to the time asked for. */
    private Window range(AuditQuery query, Optional<AuditCursor> cursor, AuditHead head) {
        Window left = query.order() == AuditOrder.NEWEST
                ? new Window(
                        0,
                        Math.min(head.size(), cursor.map(AuditCursor::position).orElse(head.size())))
                : new Window(Math.max(0, cursor.map(AuditCursor::position).orElse(0L)), head.size());
        return cut(query.filter(), left);
    }

    private Window cut(AuditFilter filter, Window left) {
        if (filter.since().isEmpty() && filter.until().isEmpty()) {
            return left;
        }
        return tables.positions(filter.since(), filter.until()).map(left::and).orElse(new Window(0, 0));
    }

    /**
     * What was found.
     *
     * @param goOn the position of the cursor that continues
     */
    private record Found(List<AuditEntry> entries, AuditPage.End end, long goOn) {}

    private Found find(AuditQuery query, Window range) {
        List<AuditEntry> entries = new ArrayList<>();
        if (range.isEmpty()) {
            return new Found(entries, AuditPage.End.COMPLETE, 0);
        }
        boolean newest = query.order() == AuditOrder.NEWEST;
        Instant until = clock.instant().plus(budget);
        int looked = 0;
        for (Window window : tables.windows(query.filter(), range, query.order())) {
            if (looked == WINDOWS_MAX || (looked > 0 && clock.instant().isAfter(until))) {
                return new Found(entries, AuditPage.End.BUDGET, newest ? window.to() : window.from());
            }
            looked++;
            entries.addAll(tables.entries(query.filter(), window, query.order(), query.limit() + 1 - entries.size()));
            if (entries.size() > query.limit()) {
                AuditEntry last = entries.get(query.limit() - 1);
                return new Found(
                        entries.subList(0, query.limit()),
                        AuditPage.End.FULL,
                        newest ? last.position() : last.position() + 1);
            }
        }
        return new Found(entries, AuditPage.End.COMPLETE, 0);
    }
}
