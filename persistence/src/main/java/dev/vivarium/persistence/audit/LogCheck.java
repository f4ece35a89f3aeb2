package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Item;
import dev.vivarium.persistence.audit.AuditTables.Passed;
import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.TreeDamaged;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.ExportCheck;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A check of all events that a checkpoint is about, in small steps that need not follow each other at once. It finds
 * what was changed, removed, inserted, moved or cut off since the checkpoint was signed, in four passes:
 *
 * <ol>
 *   <li>the order's events against the log's tree, the runs' chains and the signed checkpoint, as {@link ExportCheck}
 *       does it; with the last event of each run, the run's entries in the journal against the log
 *   <li>the same for runs that had not ended
 *   <li>the journal for entries that have no position, though the sequencer has passed them
 *   <li>the order behind the checkpoint for acts that explain what was deleted since
 * </ol>
 *
 * <p>It remembers the runs that have not ended, and what it has found, at most a hundred sentences of each kind. Used by
 * one thread at a time; a step that fails as the store is away can be taken again.
 */
public final class LogCheck {
    private static final int FINDINGS_MAX = 100;

    private final AuditTables tables;
    private final List<Verify.Key> keys;
    private final ExportRange range;
    private final ExportCheck events;
    /** Runs whose last event was not among those read. */
    private final Map<RunId, Last> open = new LinkedHashMap<>();
    /** Runs of which the journal has something else than the log; their proofs say what. */
    private final Deque<RunId> suspects = new ArrayDeque<>();
    /** Runs that the order shows to be damaged, so that nothing more is found by their entries. */
    private final Set<RunId> damaged = new HashSet<>();

    private final List<String> findings = new ArrayList<>();
    private Pass pass = Pass.ORDER;
    private long position;
    private long journal;
    private long acts;

    private enum Pass {
        ORDER,
        OPEN_RUNS,
        JOURNAL,
        LATER_ACTS,
        DONE
    }

    /**
     * The last event of a run that was seen.
     *
     * @param leaf what the log has at its position, in base64
     */
    private record Last(long position, long seq, String leaf, Rest rest) {}

    /** What a run has after an event. */
    private enum Rest {
        NOTHING,
        MAYBE_MORE
    }

    private LogCheck(AuditTables tables, List<Verify.Key> keys, LogHead head) {
        this.tables = tables;
        this.keys = List.copyOf(keys);
        this.range = new ExportRange(AuditFilter.ALL, 0, head.claimedSize(), head);
        this.events = new ExportCheck(keys);
    }

    /**
     * A check up to the last checkpoint; blocks. Empty while there is none.
     *
     * @param keys the log's verifier keys
     */
    static Optional<LogCheck> begin(AuditTables tables, List<Verify.Key> keys) {
        LogHead head = tables.log();
        return head.checkpoint().isEmpty() ? Optional.empty() : Optional.of(new LogCheck(tables, keys, head));
    }

    /** How many events the checkpoint has. */
    public long size() {
        return range.to();
    }

    /** How many of them were looked at. */
    public long looked() {
        return position;
    }

    /** Whether no step is left, so that {@link #findings} are all. */
    public boolean isDone() {
        return pass == Pass.DONE;
    }

    /** The outcome of a check that is done, as sentences. */
    public Verify.Report report() {
        List<String> found = findings();
        if (!found.isEmpty()) {
            return new Verify.Report(Verify.Verdict.NOT_PROVEN, found);
        }
        List<String> sentences = new ArrayList<>(events.report().sentences());
        sentences.add("The journal's entries of these runs are those that the log has.");
        return new Verify.Report(Verify.Verdict.PROVEN, sentences);
    }

    /** What was found so far, as sentences for the operator; nothing when all is as it was written. */
    public List<String> findings() {
        List<String> all = new ArrayList<>();
        if (isDone()) {
            Verify.Report report = events.report();
            all.addAll(report.verdict() == Verify.Verdict.PROVEN ? List.of() : report.sentences());
        } else {
            all.addAll(events.faults());
        }
        all.addAll(findings);
        return List.copyOf(all);
    }

    /**
     * Takes the next step; blocks.
     *
     * @return how many events and entries it has read
     */
    int step() {
        try {
            if (!suspects.isEmpty()) {
                prove(suspects.element());
                suspects.remove();
                return 1;
            }
            return switch (pass) {
                case ORDER -> order();
                case OPEN_RUNS -> openRun();
                case JOURNAL -> journal();
                case LATER_ACTS -> laterActs();
                case DONE -> 0;
            };
        } catch (TreeDamaged gone) {
            // The other passes need no tree, and this one cannot go on.
            find(String.valueOf(gone.getMessage()));
            suspects.clear();
            pass = pass == Pass.ORDER ? Pass.OPEN_RUNS : pass;
            return 1;
        }
    }

    private int order() {
        ExportPart part = ExportPart.of(range, position, tables);
        Map<RunId, List<StoredEntry>> ended = new HashMap<>();
        for (ExportLine line : part.lines()) {
            if (line instanceof ExportLine.Event event && Verify.isEnd(event.type())) {
                ended.put(event.run(), tables.journal(event.run()));
            }
        }
        // Nothing is read from here on, so a step that failed has changed nothing.
        part.lines().forEach(line -> accept(line, ended));
        position = part.next().orElse(range.to());
        if (part.next().isEmpty()) {
            pass = Pass.OPEN_RUNS;
        }
        return part.lines().size()
                + ended.values().stream().mapToInt(List::size).sum();
    }

    private void accept(ExportLine line, Map<RunId, List<StoredEntry>> ended) {
        int before = events.faultCount();
        events.accept(Optional.of(line));
        boolean faulty = events.faultCount() > before;
        if (line instanceof ExportLine.Removed removed) {
            damaged.add(removed.run());
        } else if (line instanceof ExportLine.Event event) {
            if (faulty) {
                damaged.add(event.run());
            }
            List<StoredEntry> entries = ended.get(event.run());
            Last last = new Last(
                    event.position(),
                    event.seq(),
                    event.leaf().orElse(""),
                    entries == null ? Rest.MAYBE_MORE : Rest.NOTHING);
            if (entries == null) {
                open.put(event.run(), last);
            } else if (Verify.isEnd(event.type())) {
                open.remove(event.run());
                compare(event.run(), last, entries);
                damaged.remove(event.run());
            }
        }
    }

    private int openRun() {
        Iterator<Map.Entry<RunId, Last>> left = open.entrySet().iterator();
        if (!left.hasNext()) {
            pass = Pass.JOURNAL;
            return 0;
        }
        Map.Entry<RunId, Last> next = left.next();
        List<StoredEntry> entries = tables.journal(next.getKey());
        left.remove();
        compare(next.getKey(), next.getValue(), entries);
        return entries.size() + 1;
    }

    /** Compares a run's entries in the journal with the log, by the last one's leaf: their chain covers the others. */
    private void compare(RunId run, Last last, List<StoredEntry> entries) {
        if (damaged.contains(run)) {
            return;
        }
        List<StoredEntry> covered =
                entries.stream().filter(entry -> entry.seq() <= last.seq()).toList();
        covered.stream()
                .filter(stored -> !hasOwnHash(stored.entry()))
                .forEach(stored -> find("Event " + stored.seq() + " of run " + run + " ("
                        + stored.entry().type()
                        + ") has another hash beside it in the journal than that of its content."));
        if (entries.isEmpty() && isGone(last.position())) {
            // After its events were read: an act has to explain it, as for those that were gone before.
            events.gone(last.position(), last.position() + 1);
        } else if (!leads(run, last, covered) && suspects.size() < FINDINGS_MAX) {
            suspects.add(run);
        }
        if (last.rest() == Rest.NOTHING) {
            entries.stream()
                    .filter(entry -> entry.seq() > last.seq())
                    .forEach(entry -> find("Event " + entry.seq() + " of run " + run + " ("
                            + entry.entry().type()
                            + ") was inserted into the journal: event " + last.seq() + " has ended the run."));
        }
    }

    private boolean isGone(long position) {
        Window one = new Window(position, position + 1);
        return tables.windows(AuditFilter.ALL, one, AuditOrder.OLDEST).stream()
                .flatMap(window -> tables.entries(AuditFilter.ALL, window, AuditOrder.OLDEST, 1).stream())
                .allMatch(entry -> entry.entry().previousHash().length() == 0);
    }

    /** The stored hash is in answers of the API; no other check looks at it. */
    private static boolean hasOwnHash(JournalEntry entry) {
        return Arrays.equals(
                entry.hash().toByteArray(),
                Verify.eventHash(
                        entry.previousHash().toByteArray(),
                        entry.type(),
                        entry.version(),
                        entry.payload().toByteArray()));
    }

    private static boolean leads(RunId run, Last last, List<StoredEntry> entries) {
        byte[] hash = Verify.genesis(run.value());
        long seq = 0;
        for (StoredEntry stored : entries) {
            JournalEntry entry = stored.entry();
            seq++;
            if (stored.seq() != seq || !Arrays.equals(entry.previousHash().toByteArray(), hash)) {
                return false;
            }
            hash = Verify.eventHash(
                    hash, entry.type(), entry.version(), entry.payload().toByteArray());
        }
        return seq == last.seq()
                && Base64.getEncoder()
                        .encodeToString(Verify.leafHash(Verify.leaf(run.value(), seq, hash)))
                        .equals(last.leaf());
    }

    /** What the run's own proof finds. */
    private void prove(RunId run) {
        Verify.Report report = RunProof.of(run, tables)
                .map(proof -> Verify.check(proof.text(), keys))
                .orElse(new Verify.Report(Verify.Verdict.PROVEN, List.of()));
        if (report.verdict() == Verify.Verdict.PROVEN) {
            find("The journal's entries of run " + run + " are not those that the log has.");
        } else {
            report.sentences().forEach(sentence -> find("In the journal, run " + run + ": " + sentence));
        }
    }

    private int journal() {
        Passed passed = tables.passed(journal);
        for (Item item : passed.without()) {
            find("Event " + item.seq() + " of run " + item.run()
                    + " was inserted into the journal, or its position was removed: it has none.");
        }
        OptionalLong next = passed.next();
        journal = next.orElse(journal);
        if (next.isEmpty()) {
            acts = range.to();
            pass = Pass.LATER_ACTS;
        }
        return passed.looked();
    }

    /** Those up to the check's own checkpoint were read with the order. */
    private int laterActs() {
        if (!events.lacksAnAct()) {
            pass = Pass.DONE;
            return 0;
        }
        ExportPart.Acts found = ExportPart.actsFrom(acts, range.to(), tables);
        found.proofs().forEach(events::deletion);
        acts = found.next().orElse(acts);
        if (found.next().isEmpty()) {
            pass = Pass.DONE;
        }
        return found.proofs().size() + 1;
    }

    private void find(String sentence) {
        if (findings.size() < FINDINGS_MAX) {
            findings.add(sentence);
        }
    }
}
