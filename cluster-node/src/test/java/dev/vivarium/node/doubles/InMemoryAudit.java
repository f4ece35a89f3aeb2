package dev.vivarium.node.doubles;

import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditQuery;
import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.audit.ExportPart;
import dev.vivarium.persistence.audit.ExportRange;
import dev.vivarium.persistence.audit.RunProof;
import dev.vivarium.persistence.audit.Stretch;
import dev.vivarium.persistence.audit.Tally;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.TilePath;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.api.AuditCounts;
import dev.vivarium.protocol.api.AuditEventView;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.AuditPage;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** An order of events without a store, for tests of what stands before it: it keeps the queries that it is asked. */
public final class InMemoryAudit implements AuditQueries {
    public final List<AuditQuery> asked = Collections.synchronizedList(new ArrayList<>());
    public volatile AuditHead head = new AuditHead(3, 40);
    public volatile LogHead log = new LogHead(3, "example.org/log\n3\nroot\n\nsignature\n");
    public volatile Optional<RunProof> proof = Optional.of(new RunProof("proof", RunProof.Extent.WHOLE));
    public volatile int totals = 1;
    /** The tenants of which totals were asked for; empty for all of them. */
    public final List<Optional<String>> counted = Collections.synchronizedList(new ArrayList<>());

    public volatile Optional<RuntimeException> failure = Optional.empty();

    @Override
    public CompletionStage<AuditPage> find(AuditQuery query) {
        asked.add(query);
        if (failure.isPresent()) {
            return CompletableFuture.failedStage(failure.get());
        }
        if (query.cursor().filter(cursor -> !cursor.equals("next-page")).isPresent()) {
            return CompletableFuture.failedStage(badCursor());
        }
        AuditEventView event = new AuditEventView(
                2,
                new RunId("01jd4h5s2m8x7k9q3v6w0t1y2z"),
                4,
                Instant.parse("2026-11-24T12:00:00Z"),
                "RunTeleported",
                "node-1",
                "default",
                "vivarium/python",
                Optional.of("local:operator"),
                Optional.empty(),
                Optional.empty(),
                "ab".repeat(32));
        return CompletableFuture.completedStage(
                new AuditPage(List.of(event), AuditPage.End.FULL, Optional.of("next-page"), head));
    }

    /** The events that are there, at the positions from 0 on. */
    public final List<AuditEntry> events = Collections.synchronizedList(new ArrayList<>());

    @Override
    public CompletionStage<Stretch> read(AuditFilter filter, AuditTables.Window range, int limit) {
        if (failure.isPresent()) {
            return CompletableFuture.failedStage(failure.get());
        }
        reads.incrementAndGet();
        AuditHead now = head;
        List<AuditEntry> left;
        synchronized (events) {
            int end = (int) Math.min(range.to(), events.size());
            left = List.copyOf(events.subList((int) Math.min(range.from(), end), end));
        }
        List<AuditEntry> found =
                left.stream().filter(filter::matches).limit(limit).toList();
        long next = found.size() == limit ? found.get(limit - 1).position() + 1 : Math.min(range.to(), now.size());
        return CompletableFuture.completedStage(new Stretch(found, next, now));
    }

    /** Ranges of which an export was begun, and the parts that were read. */
    public final List<ExportRange> exported = Collections.synchronizedList(new ArrayList<>());

    /** How often events were read, and how often the head was looked at. */
    public final AtomicInteger reads = new AtomicInteger();

    public final AtomicInteger looks = new AtomicInteger();
    /** The part at which the store is away. */
    public volatile long awayFrom = Long.MAX_VALUE;

    /** A part for each position. */
    @Override
    public CompletionStage<ExportPart> export(ExportRange range, long at) {
        if (failure.isPresent() || at >= awayFrom) {
            return CompletableFuture.failedStage(failure.orElseGet(() -> new StoreUnavailable("away")));
        }
        reads.incrementAndGet();
        List<ExportLine> lines = new ArrayList<>();
        if (at == range.from()) {
            exported.add(range);
            lines.add(new ExportLine.Begin(
                    ExportLine.FORMAT, range.from(), range.to(), range.filter().conditions(), List.of()));
        }
        if (at < range.to()) {
            lines.add(new ExportLine.Missing(at, at + 1, List.of()));
        }
        if (at + 1 < range.to()) {
            return CompletableFuture.completedStage(new ExportPart(lines, OptionalLong.of(at + 1)));
        }
        lines.add(new ExportLine.End(
                range.from(), range.to(), List.of(), range.log().checkpoint()));
        return CompletableFuture.completedStage(new ExportPart(lines, OptionalLong.empty()));
    }

    private static AuditQuery.BadCursor badCursor() {
        return new AuditQuery.BadCursor("The cursor was not issued by this API.");
    }

    @Override
    public CompletionStage<AuditCounts> counts(
            Tally.Measure measure, Optional<String> tenant, Instant since, Instant until) {
        counted.add(tenant);
        if (failure.isPresent()) {
            return CompletableFuture.failedStage(failure.get());
        }
        AuditCounts.Count count = new AuditCounts.Count(since, tenant.orElse("default"), "MEMORY", 2);
        return CompletableFuture.completedStage(
                new AuditCounts(measure.name(), Collections.nCopies(totals, count), head));
    }

    @Override
    public CompletionStage<AuditHead> head() {
        looks.incrementAndGet();
        return CompletableFuture.completedStage(head);
    }

    @Override
    public CompletionStage<LogHead> log() {
        return failure.<CompletionStage<LogHead>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(log));
    }

    /** The tree of three leaves. */
    @Override
    public CompletionStage<Optional<Blob>> tile(TilePath path) {
        return failure.<CompletionStage<Optional<Blob>>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(
                        Optional.of(path).filter(one -> one.isIn(3)).map(one -> Blob.of(new byte[32 * one.width()]))));
    }

    @Override
    public CompletionStage<Optional<String>> consistency(long earlier) {
        return failure.<CompletionStage<Optional<String>>>map(CompletableFuture::failedStage)
                .orElseGet(
                        () -> CompletableFuture.completedStage(Optional.of("old " + earlier + "\n\n" + log.checkpoint())
                                .filter(proof -> earlier <= log.claimedSize()
                                        && !log.checkpoint().isEmpty())));
    }

    @Override
    public CompletionStage<Optional<RunProof>> proof(RunId run) {
        return failure.<CompletionStage<Optional<RunProof>>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(proof));
    }
}
