package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Item;
import dev.vivarium.persistence.audit.RunFacts.Denied;
import dev.vivarium.persistence.audit.Tally.Measure;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives events their positions and derives everything that follows from them. Pure, so that what a batch says depends on
 * the journal and on what was sequenced before, and on nothing else.
 */
final class BatchBuilder {
    private static final JournalEntry UNREADABLE =
            new JournalEntry(EventFacts.DAMAGED, 0, Blob.EMPTY, Blob.EMPTY, Blob.EMPTY);

    private final long first;
    private final Instant now;
    private final Map<RunId, RunFacts> runs;
    private final List<AuditEntry> entries = new ArrayList<>();
    private final Map<RunId, RunFacts> changed = new LinkedHashMap<>();
    private final Map<Tally, Long> added = new LinkedHashMap<>();
    private final Map<Long, Block> blocks = new LinkedHashMap<>();
    private final List<Item> outOfTurn = new ArrayList<>();

    /**
     * Starts a batch.
     *
     * @param first its first position
     * @param now the time of events that say none
     * @param runs what is known of the runs of the events that follow
     */
    BatchBuilder(long first, Instant now, Map<RunId, RunFacts> runs) {
        this.first = first;
        this.now = now;
        this.runs = new HashMap<>(runs);
    }

    /** Gives the event the next position, unless it has one. */
    void add(Item item) {
        RunFacts before = runs.getOrDefault(item.run(), RunFacts.unknown(item.run()));
        if (item.seq() <= before.seq()) {
            return;
        }
        if (item.seq() > before.seq() + 1) {
            outOfTurn.add(item);
        }
        JournalEntry entry = item.entry().orElse(UNREADABLE);
        EventFacts event = EventFacts.of(item.run(), entry, now);
        RunFacts after = after(before, item.seq(), event);
        long position = first + entries.size();
        entries.add(new AuditEntry(
                position,
                event.at(),
                item.run(),
                item.seq(),
                StorableText.of(event.type()),
                StorableText.of(event.node()),
                after.tenant(),
                after.image(),
                event.by().map(StorableText::of),
                event.event().flatMap(BatchBuilder::reason),
                after.labels(),
                entry));
        runs.put(item.run(), after);
        changed.put(item.run(), after);
        blocks.merge(
                Block.of(position),
                new Block(Block.of(position), event.at(), event.at()),
                (block, one) -> block.with(one.from()));
        event.event().ifPresent(known -> count(before, after, known));
    }

    private static Optional<String> reason(RunEvent event) {
        return event instanceof RunEvent.RunKilled killed
                ? Optional.of(killed.reason().name())
                : Optional.empty();
    }

    private static RunFacts after(RunFacts before, long seq, EventFacts event) {
        if (ChainPersistenceId.isAct(before.run())) {
            return new RunFacts(
                    before.run(),
                    seq,
                    RunFacts.Phase.ENDED,
                    event.at(),
                    event.tenant().map(StorableText::of).orElse(""),
                    "",
                    Map.of(),
                    Denied.NONE);
        }
        RunEvent known = event.event().orElse(null);
        RunFacts.Phase phase = known instanceof RunEvent.Terminal ? RunFacts.Phase.ENDED : before.phase();
        if (known instanceof RunEvent.RunSubmitted submitted) {
            return new RunFacts(
                    before.run(),
                    seq,
                    phase,
                    event.at(),
                    StorableText.of(submitted.spec().tenant().name()),
                    StorableText.of(submitted.spec().image()),
                    StorableText.of(submitted.spec().labels()),
                    before.denied());
        }
        return new RunFacts(
                before.run(),
                seq,
                phase,
                before.submittedAt(),
                before.tenant(),
                before.image(),
                before.labels(),
                known instanceof RunEvent.EgressDenied denied
                        ? new Denied(denied.attempt(), counts(before.denied(), denied))
                        : before.denied());
    }

    /** A destination that an event no longer names, since others were tried more often, keeps its last count. */
    private static Map<String, Long> counts(Denied before, RunEvent.EgressDenied event) {
        Map<String, Long> counts = new HashMap<>();
        if (before.attempt() == event.attempt()) {
            counts.putAll(before.counts());
        }
        for (EgressDenial denial : event.mostTried()) {
            counts.merge(destination(denial), denial.count(), Math::max);
        }
        return counts;
    }

    private static String destination(EgressDenial denial) {
        return denial.protocol() + "://" + denial.destination() + ":" + denial.port();
    }

    private void count(RunFacts before, RunFacts after, RunEvent event) {
        if (event instanceof RunEvent.RunSubmitted) {
            add(Measure.RUNS, event, after, "", 1);
        } else if (event instanceof RunEvent.EgressUsed used) {
            add(Measure.EGRESS_BYTES, event, after, "", used.bytesIn() + used.bytesOut());
        } else if (event instanceof RunEvent.EgressDenied denied) {
            Map<String, Long> earlier = before.denied().attempt() == denied.attempt()
                    ? before.denied().counts()
                    : Map.of();
            after.denied()
                    .counts()
                    .forEach((destination, count) -> add(
                            Measure.DENIALS, event, after, destination, count - earlier.getOrDefault(destination, 0L)));
        } else if (event instanceof RunEvent.Terminal end) {
            add(Measure.ENDS, event, after, event.getClass().getSimpleName(), 1);
            add(Measure.CPU_MILLIS, event, after, "", end.usage().get(Limit.CPU_TIME));
            reason(event).ifPresent(reason -> add(Measure.KILLS, event, after, reason, 1));
        }
    }

    private void add(Measure measure, RunEvent event, RunFacts run, String key, long amount) {
        if (amount > 0) {
            added.merge(Tally.of(measure, event.at(), run.tenant(), key), amount, Long::sum);
        }
    }

    /** The tallies that the events add to. */
    Collection<Tally> tallies() {
        return added.keySet();
    }

    /** Events whose predecessors in their run are missing from the journal. */
    List<Item> outOfTurn() {
        return outOfTurn;
    }

    /**
     * The batch.
     *
     * @param totals the totals before it
     * @param earlier the block of its first position, as far as it was filled before
     */
    AuditBatch build(Map<Tally, Long> totals, Optional<Block> earlier) {
        List<Tally.Count> counts = new ArrayList<>();
        added.forEach((tally, amount) -> counts.add(new Tally.Count(tally, totals.getOrDefault(tally, 0L) + amount)));
        earlier.ifPresent(block -> blocks.computeIfPresent(
                block.number(), (number, one) -> one.with(block.from()).with(block.to())));
        return new AuditBatch(first, entries, List.copyOf(changed.values()), counts, List.copyOf(blocks.values()));
    }
}
