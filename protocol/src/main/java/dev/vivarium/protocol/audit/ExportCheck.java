package dev.vivarium.protocol.audit;

import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.ExportLine;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Verifies an export of all events of a range, line by line, against the log's key and nothing else. It checks that the
 * positions are dense and rising, that each event is what the log has at its position, that each run's events are
 * chained until it ends, and that what the log has at these positions leads, with the subtrees before and after them (RFC 9162), to the root
 * of the signed checkpoint in the last line. Where an event is gone, its hash leads there, and an act that comes later in the
 * order has to say that it was deleted. Keeps what it needs of runs that have not ended, a bit for each position that no act
 * has explained, and of events that were changed at most {@value #FAULTS_MAX}; confined to one thread.
 */
public final class ExportCheck {
    private static final int FAULTS_MAX = 100;
    private static final String REMOVED = " was removed: the log has it, and the journal has it no more.";

    private final List<Verify.Key> keys;
    private final List<String> faults = new ArrayList<>();
    private final List<Changed> changed = new ArrayList<>();
    private final Map<String, Link> runs = new HashMap<>();
    private final Set<Long> begins = new HashSet<>();
    private final Holes holes = new Holes();
    /** Holes of which the order still has a name. */
    private final Map<Long, Named> removed = new HashMap<>();

    /** Events that others should come before, found while there were holes. */
    private final List<String> skips = new ArrayList<>();

    private final LogHasher hasher = new LogHasher();

    private Optional<ExportLine.Begin> begin = Optional.empty();
    private Optional<ExportLine.End> end = Optional.empty();
    private Optional<RangeRoot> tree = Optional.empty();
    private long lines;
    private long expected;
    private long events;

    /** A check by these keys. */
    public ExportCheck(List<Verify.Key> keys) {
        this.keys = List.copyOf(keys);
    }

    /** The last event of a run that was seen, and its hash. */
    private static final class Link {
        static final Link UNKNOWN = new Link(0, new byte[0]);

        private final long seq;
        private final byte[] hash;

        Link(long seq, byte[] hash) {
            this.seq = seq;
            this.hash = hash;
        }

        boolean isKnown() {
            return hash.length > 0;
        }
    }

    /** An event, as sentences name it: of millions, few are named. */
    private record Named(long position, String run, long seq, String type) {
        static Named of(HashedEvents events, int at) {
            return new Named(events.position(at), events.run(at), events.seq(at), events.type(at));
        }

        @Override
        public String toString() {
            return "Position " + position + " (event " + seq + " of run " + run + ", " + type + ")";
        }
    }

    /** An event that is not what the log has at its position; both hashes are those of leaves, in base64. */
    private record Changed(Named name, long position, String is, String should) {}

    /** The next line; empty for one that is none. */
    public void accept(Optional<ExportLine> next) {
        lines++;
        if (next.isEmpty()) {
            fault("Line " + lines + " is damaged, or was cut off.");
            return;
        }
        ExportLine line = next.get();
        if (isPlaced(line instanceof ExportLine.Begin)) {
            line(line);
        }
    }

    /** The next lines. */
    public void accept(ExportPiece next) {
        if (next instanceof HashedEvents events) {
            events(events);
        } else if (next instanceof ExportPiece.Line line) {
            accept(line.line());
        }
    }

    private void line(ExportLine line) {
        if (line instanceof ExportLine.Begin first) {
            begin(first);
        } else if (line instanceof ExportLine.Event event) {
            HashedEvents.of(event, hasher)
                    .ifPresentOrElse(one -> event(one, 0, Leaves.ONE_BY_ONE), () -> damaged(event));
        } else if (line instanceof ExportLine.Removed removed) {
            removed(removed);
        } else if (line instanceof ExportLine.Missing missing) {
            missing(missing);
        } else if (line instanceof ExportLine.Deletion deletion) {
            deletion(deletion.proof());
        } else if (line instanceof ExportLine.End last) {
            end = Optional.of(last);
        }
    }

    /** Whether the leaves of events are appended to the tree with each event, or were before. */
    private enum Leaves {
        ONE_BY_ONE,
        APPENDED
    }

    private void events(HashedEvents next) {
        Leaves leaves = Leaves.ONE_BY_ONE;
        // Then each of them is in its place.
        if (begin.isPresent() && end.isEmpty() && !isNarrowed() && next.position(0) == expected) {
            leaves = next.subtrees().map(this::append).orElse(leaves);
        }
        for (int at = 0; at < next.size(); at++) {
            lines++;
            if (isPlaced(false)) {
                event(next, at, leaves);
            }
        }
    }

    private Leaves append(SubtreeStack row) {
        tree.ifPresent(growing -> growing.append(row));
        return Leaves.APPENDED;
    }

    /** Whether a line comes between the first and the last one. */
    private boolean isPlaced(boolean first) {
        if (end.isPresent()) {
            fault("Line " + lines + " comes after the last line.");
            return false;
        }
        if (!first && begin.isEmpty()) {
            fault("The export does not begin with its first line: its beginning was cut off.");
            begin(new ExportLine.Begin(ExportLine.FORMAT, 0, 0, Map.of(), List.of()));
            gap();
        }
        return true;
    }

    private void begin(ExportLine.Begin line) {
        if (!line.format().equals(ExportLine.FORMAT)) {
            fault("Line " + lines + " is of the format " + line.format() + ", and this program knows "
                    + ExportLine.FORMAT + ".");
        }
        begins.add(line.from());
        if (begin.isEmpty()) {
            begin = Optional.of(line);
            expected = line.from();
            tree = isNarrowed() ? Optional.empty() : tree(line);
            return;
        }
        if (line.from() != expected && !(isNarrowed() && line.from() > expected)) {
            fault("The export was resumed at position " + line.from() + ", and not at " + expected + ".");
        }
        if (!line.filter().equals(begin.get().filter())) {
            fault("The export was resumed with another filter, at position " + line.from() + ".");
        }
    }

    private Optional<RangeRoot> tree(ExportLine.Begin line) {
        try {
            return Optional.of(new RangeRoot(line.from(), hashes(line.before()), hasher));
        } catch (IllegalArgumentException malformed) {
            fault("The first line does not have the hashes of the log before position " + line.from() + ".");
            return Optional.empty();
        }
    }

    private boolean isNarrowed() {
        return begin.map(line -> !line.filter().isEmpty()).orElse(false);
    }

    private void damaged(ExportLine.Event line) {
        events++;
        Named name = new Named(line.position(), line.run().value(), line.seq(), line.type());
        place(line.position(), name);
        fault(name + " is damaged: it has no content, or not the hash of the event before it.");
    }

    private void event(HashedEvents next, int at, Leaves leaves) {
        events++;
        boolean inPlace = isNext(next.position(at)) || place(next.position(at), Named.of(next, at));
        if (isNarrowed()) {
            return;
        }
        if (!next.isLogged(at)) {
            unlogged(Named.of(next, at));
        } else {
            if (inPlace && leaves == Leaves.ONE_BY_ONE) {
                append(next.loggedLeaf(at));
            }
            if (!next.isAsLogged(at)) {
                changed(new Changed(
                        Named.of(next, at), next.position(at), base64(next.leaf(at)), base64(next.loggedLeaf(at))));
            }
        }
        if (inPlace && next.isAsLogged(at)) {
            next.deletion(at).ifPresent(deleted -> holes.explain(deleted, next.position(at)));
        }
        chain(next, at, next.isAsLogged(at) && inPlace);
    }

    private boolean isNext(long position) {
        if (position != expected) {
            return false;
        }
        expected++;
        return true;
    }

    /** Whether the position is the next one, or one behind a gap; what it is not is a fault. */
    private boolean place(long position, Object name) {
        if (position < expected) {
            fault(name + " is not in its place: it comes after position " + (expected - 1) + ".");
            return false;
        }
        if (position > expected && !isNarrowed()) {
            fault(positions(expected, position) + " removed from the export, which goes on with position " + position
                    + ".");
            gap();
        }
        expected = position + 1;
        return true;
    }

    private static String positions(long from, long to) {
        return to - from == 1
                ? "The event at position " + from + " was"
                : "The events at positions " + from + " to " + (to - 1) + " were";
    }

    private void unlogged(Named name) {
        fault(name + " lacks the hash that the log has at its position.");
        tree = Optional.empty();
    }

    private void append(byte[] leaf) {
        tree.ifPresent(growing -> growing.append(leaf));
    }

    /** Compares an event with the one before it in its run, as far as that is known. */
    private void chain(HashedEvents next, int at, boolean sound) {
        String run = next.run(at);
        long seq = next.seq(at);
        Link before = runs.get(run);
        if (sound && before == null && seq == 1) {
            if (!next.begins(at)) {
                unchained(next, at);
            }
        } else if (sound && before != null && before.isKnown()) {
            if (seq != before.seq + 1) {
                skip(Named.of(next, at) + " is not the next one of its run, after event " + before.seq + ".");
            } else if (!next.follows(at, before.hash)) {
                unchained(next, at);
            }
        }
        if (Verify.isEnd(next.type(at))) {
            runs.remove(run);
        } else {
            runs.put(run, sound ? new Link(seq, next.hash(at)) : Link.UNKNOWN);
        }
    }

    /** Of a run that lacks an event, a hole may be the reason, and is what is named then. */
    private void skip(String sentence) {
        if (holes.isEmpty()) {
            fault(sentence);
        } else if (skips.size() < FAULTS_MAX) {
            skips.add(sentence);
        }
    }

    private void unchained(HashedEvents next, int at) {
        fault(Named.of(next, at) + " does not follow from the event before it in its run.");
    }

    /** Of the events before, some are not known: chains begin anew. */
    private void gap() {
        tree = Optional.empty();
        runs.clear();
    }

    private void removed(ExportLine.Removed line) {
        Named name = new Named(line.position(), line.run().value(), line.seq(), line.type());
        boolean inPlace = place(line.position(), name);
        if (isNarrowed()) {
            fault(name + REMOVED);
        } else {
            Optional<byte[]> leaf = line.leaf().flatMap(HashedEvents::hash);
            leaf.filter(hash -> inPlace).ifPresent(this::append);
            if (leaf.isEmpty()) {
                unlogged(name);
            }
            gone(line.position(), line.position() + 1);
            if (removed.size() < FAULTS_MAX) {
                removed.put(line.position(), name);
            }
        }
    }

    private void missing(ExportLine.Missing line) {
        if (line.from() < expected || line.to() <= line.from()) {
            fault("Line " + lines + " is not in its place.");
            return;
        }
        place(line.from(), "Line " + lines);
        expected = line.to();
        List<byte[]> leaves = line.leaves().stream()
                .flatMap(text -> HashedEvents.hash(text).stream())
                .toList();
        if (leaves.size() == line.to() - line.from()) {
            leaves.forEach(this::append);
            gone(line.from(), line.to());
        } else {
            fault(positions(line.from(), line.to()) + " removed: the store has nothing there.");
            gap();
        }
    }

    /** These positions have no event any more, which an act has to explain. */
    public void gone(long from, long to) {
        holes.add(from, to);
    }

    /** Whether no act so far explains some positions without an event. */
    public boolean lacksAnAct() {
        return !holes.isEmpty();
    }

    /** What an act has deleted, by its proof. */
    public void deletion(String proof) {
        Verify.Report report = Verify.check(proof, keys);
        if (report.verdict() != Verify.Verdict.PROVEN) {
            fault("Line " + lines + " is not the proof of an act that deleted events: "
                    + report.sentences().get(0));
            return;
        }
        // The check has read the same lines: the first names the chain, and each event has seven words.
        List<String> proven = proof.lines().toList();
        String chain = proven.get(1).substring("run ".length());
        proven.stream()
                .map(line -> line.split(" ", -1))
                .filter(words -> words[0].equals("event") && words.length == 7)
                .forEach(words -> {
                    byte[] payload = Base64.getDecoder().decode(words[6]);
                    Positions.deletedBy(chain, words[3], payload, payload.length)
                            .ifPresent(deleted -> holes.explain(deleted, Long.parseLong(words[2])));
                });
    }

    private void changed(Changed event) {
        if (changed.size() < FAULTS_MAX) {
            changed.add(event);
            faults.add("");
        }
    }

    private void fault(String sentence) {
        if (faults.size() < FAULTS_MAX) {
            faults.add(sentence);
        }
    }

    /** How many faults were found so far, up to {@value #FAULTS_MAX}. */
    public int faultCount() {
        return faults.size();
    }

    /** The faults that were found so far; later lines may say more about them. */
    public List<String> faults() {
        return named();
    }

    /** The outcome, after the last line. */
    public Verify.Report report() {
        try {
            return reported();
        } catch (Verify.Refused refused) {
            List<String> sentences = new ArrayList<>(allNamed());
            sentences.add(String.valueOf(refused.getMessage()));
            return new Verify.Report(Verify.Verdict.NOT_PROVEN, sentences);
        }
    }

    private Verify.Report reported() {
        if (begin.isEmpty() || end.isEmpty()) {
            fault(
                    begin.isEmpty()
                            ? "This is no export of events."
                            : "The export was cut off before position " + expected + ": it lacks its last line.");
            return new Verify.Report(Verify.Verdict.NOT_PROVEN, allNamed());
        }
        ExportLine.End last = end.get();
        if (!begins.contains(last.from())) {
            fault("The last line is of an export that begins at position " + last.from() + ", and this one does not.");
        }
        if (last.to() < expected || (last.to() > expected && !isNarrowed())) {
            fault("The export ends before position " + expected + ", and its last line says before " + last.to() + ".");
        }
        Verify.Checkpoint checkpoint = Verify.Checkpoint.open(last.checkpoint(), keys);
        if (isNarrowed()) {
            fault("A filter narrows the export (" + begin.get().filter()
                    + "): nobody can tell by it what else happened, so"
                    + " it proves nothing as a whole. Export the range without conditions, or prove single runs"
                    + " (vivarium audit proof).");
        } else if (faults.stream().allMatch(String::isEmpty)) {
            // Only an export without gaps has a root.
            root(last, checkpoint);
        }
        return faults.isEmpty() && holes.isEmpty() && skips.isEmpty()
                ? new Verify.Report(Verify.Verdict.PROVEN, proven(last, checkpoint))
                : new Verify.Report(Verify.Verdict.NOT_PROVEN, allNamed());
    }

    private void root(ExportLine.End last, Verify.Checkpoint checkpoint) {
        Optional<byte[]> root = tree.flatMap(whole -> {
            try {
                hashes(last.after()).forEach(whole::appendSubtree);
                return whole.root(checkpoint.size());
            } catch (IllegalArgumentException malformed) {
                return Optional.empty();
            }
        });
        if (root.map(hash -> !base64(hash).equals(checkpoint.root())).orElse(true)) {
            fault("What the export says the log has from position "
                    + begin.orElseThrow().from() + " to "
                    + (last.to() - 1) + " is not what its key has signed: events were changed, removed or inserted"
                    + " together with their hashes.");
        }
    }

    private List<String> proven(ExportLine.End last, Verify.Checkpoint checkpoint) {
        List<String> story = new ArrayList<>();
        long from = begin.orElseThrow().from();
        story.add(
                last.to() == from
                        ? "No events, before position " + from + "."
                        : events + " events, positions " + from + " to " + (last.to() - 1)
                                + (holes.explained() == 0
                                        ? ", all of them and as they were written."
                                        : ", as they were written. Acts in the log say that the events at "
                                                + holes.explained() + " other positions were deleted."));
        if (from > 0) {
            story.add("Events of a run that began before position " + from + " are chained from there on.");
        }
        story.add("Log " + checkpoint.origin() + ", " + checkpoint.size() + " events, root " + checkpoint.root()
                + ", signed by " + String.join(" and ", checkpoint.signers()) + ".");
        return story;
    }

    /** All faults, in their order; those of changed events say so only now that the others are known. */
    private List<String> named() {
        List<String> named = new ArrayList<>();
        int at = 0;
        for (String sentence : faults) {
            named.add(sentence.isEmpty() ? reason(changed.get(at++)) : sentence);
        }
        if (named.size() >= FAULTS_MAX) {
            named.add("There may be more: these are the first.");
        }
        return named;
    }

    /** With what no act explains, now that none is to come. */
    private List<String> allNamed() {
        List<String> all = new ArrayList<>(named());
        if (holes.isEmpty()) {
            all.addAll(skips);
        }
        for (Positions.Range hole : holes.left(FAULTS_MAX)) {
            long at = hole.first();
            while (at <= hole.last() && removed.containsKey(at)) {
                all.add(removed.get(at++) + REMOVED);
            }
            if (at <= hole.last()) {
                all.add(positions(at, hole.last() + 1)
                        + " removed: the store has nothing there, and no act says that this was to be deleted.");
            }
        }
        return all;
    }

    private String reason(Changed event) {
        return changed.stream()
                .filter(other -> !other.equals(event) && other.should().equals(event.is()))
                .findFirst()
                .map(other -> event.name() + " was moved: it was written at position " + other.position() + ".")
                .orElse(event.name() + " was changed or inserted: it is not what the log has at its position.");
    }

    private static List<byte[]> hashes(List<String> texts) {
        return texts.stream()
                .map(text -> HashedEvents.hash(text).orElseThrow(() -> new IllegalArgumentException("no hash")))
                .toList();
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
