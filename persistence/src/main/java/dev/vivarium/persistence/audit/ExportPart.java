package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.tlog.StoredTree;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.ExportLine;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Some lines of an export, from one position to another. An export of all events has with each the hash that the log's
 * tree has at its position, also where the event was deleted, and what the tree has before and after the range, so that it
 * proves itself by the checkpoint in its last line. Behind its range come the proofs of later acts that have deleted events
 * before its end. One that a filter narrows has none of these.
 *
 * @param next the position that the following part begins with; empty after the last line
 */
public record ExportPart(List<ExportLine> lines, OptionalLong next) {
    /** Events of a part. */
    private static final int EVENTS_MAX = 100;

    /** Proofs of acts of a part: each has up to some ten thousand bytes. */
    private static final int ACTS_MAX = 20;

    /** Acts that delete events. */
    static final AuditFilter DELETIONS = AuditFilter.ALL.with(AuditFilter.Field.TYPE, Set.of(Positions.ACT));

    public ExportPart {
        lines = List.copyOf(lines);
    }

    /** Reads the part that begins at a position; blocks. */
    static ExportPart of(ExportRange range, long at, AuditTables tables) {
        boolean whole = range.filter().conditions().isEmpty();
        StoredTree tree = new StoredTree(range.log().claimedSize(), tables::tile);
        List<ExportLine> lines = new ArrayList<>();
        if (at == range.from()) {
            lines.add(new ExportLine.Begin(
                    ExportLine.FORMAT,
                    range.from(),
                    range.to(),
                    range.filter().conditions(),
                    whole ? base64(tree.cover(0, range.from())) : List.of()));
        }
        long next = at;
        if (at < range.to()) {
            next = whole ? addAll(lines, new Window(at, range.to()), tree, tables) : addSome(lines, range, at, tables);
        }
        if (next < range.to()) {
            return new ExportPart(lines, OptionalLong.of(next));
        }
        if (whole) {
            Acts acts = actsFrom(next, range.to(), tables);
            acts.proofs().forEach(proof -> lines.add(new ExportLine.Deletion(proof)));
            if (acts.next().isPresent()) {
                return new ExportPart(lines, acts.next());
            }
        }
        lines.add(new ExportLine.End(
                range.from(),
                range.to(),
                whole ? base64(tree.cover(range.to(), range.log().claimedSize())) : List.of(),
                range.log().checkpoint()));
        return new ExportPart(lines, OptionalLong.empty());
    }

    /**
     * Proofs of acts that have deleted events.
     *
     * @param next the position to go on from; empty when there are no more
     */
    record Acts(List<String> proofs, OptionalLong next) {}

    /**
     * Looks for acts as far as there are checkpoints by now: events are deleted once one has the act, so of what is gone
     * already none is missed.
     *
     * @param from the first position to look at
     * @param before they have deleted some event before this position
     */
    static Acts actsFrom(long from, long before, AuditTables tables) {
        Window left = new Window(from, tables.log().claimedSize());
        List<Window> windows = left.isEmpty() ? List.of() : tables.windows(DELETIONS, left, AuditOrder.OLDEST);
        if (windows.isEmpty()) {
            return new Acts(List.of(), OptionalLong.empty());
        }
        List<AuditEntry> entries = tables.entries(DELETIONS, windows.get(0), AuditOrder.OLDEST, ACTS_MAX);
        List<String> proofs = entries.stream()
                .filter(entry -> deleted(entry)
                        .filter(positions -> positions.beginBefore(before))
                        .isPresent())
                .flatMap(entry -> RunProof.of(entry.run(), tables).stream())
                .map(RunProof::text)
                .toList();
        if (entries.size() == ACTS_MAX) {
            return new Acts(proofs, OptionalLong.of(entries.get(ACTS_MAX - 1).position() + 1));
        }
        return new Acts(
                proofs,
                windows.size() == 1
                        ? OptionalLong.empty()
                        : OptionalLong.of(windows.get(0).to()));
    }

    static Optional<Positions> deleted(AuditEntry entry) {
        byte[] payload = entry.entry().payload().toByteArray();
        return Positions.deletedBy(entry.run().value(), entry.type(), payload, payload.length);
    }

    /** Adds the first events of a range, and says which positions have none. */
    private static long addAll(List<ExportLine> lines, Window range, StoredTree tree, AuditTables tables) {
        Window few = range.and(new Window(range.from(), range.from() + EVENTS_MAX));
        Window window = tables.windows(AuditFilter.ALL, few, AuditOrder.OLDEST).get(0);
        List<AuditEntry> entries = tables.entries(AuditFilter.ALL, window, AuditOrder.OLDEST, EVENTS_MAX);
        long expected = range.from();
        for (AuditEntry entry : entries) {
            if (entry.position() > expected) {
                lines.add(missing(expected, entry.position(), tree));
            }
            lines.add(line(entry, Optional.of(Base64.getEncoder().encodeToString(tree.leafHash(entry.position())))));
            expected = entry.position() + 1;
        }
        if (expected < window.to()) {
            lines.add(missing(expected, window.to(), tree));
        }
        return window.to();
    }

    private static ExportLine.Missing missing(long from, long to, StoredTree tree) {
        return new ExportLine.Missing(
                from,
                to,
                base64(LongStream.range(from, to).mapToObj(tree::leafHash).toList()));
    }

    private static long addSome(List<ExportLine> lines, ExportRange range, long at, AuditTables tables) {
        Window left = new Window(at, range.to());
        Optional<Window> meant = range.filter().since().isEmpty()
                        && range.filter().until().isEmpty()
                ? Optional.of(left)
                : tables.positions(range.filter().since(), range.filter().until())
                        .map(left::and)
                        .filter(window -> !window.isEmpty());
        List<Window> windows = meant.map(window -> tables.windows(range.filter(), window, AuditOrder.OLDEST))
                .orElse(List.of());
        if (windows.isEmpty()) {
            return range.to();
        }
        Window window = windows.get(0);
        List<AuditEntry> entries = tables.entries(range.filter(), window, AuditOrder.OLDEST, EVENTS_MAX);
        entries.forEach(entry -> lines.add(line(entry, Optional.empty())));
        if (entries.size() == EVENTS_MAX) {
            return entries.get(EVENTS_MAX - 1).position() + 1;
        }
        return windows.size() == 1 ? range.to() : window.to();
    }

    private static ExportLine line(AuditEntry entry, Optional<String> leaf) {
        JournalEntry stored = entry.entry();
        if (stored.previousHash().length() == 0) {
            return new ExportLine.Removed(entry.position(), entry.run(), entry.seq(), entry.type(), leaf);
        }
        byte[] payload = stored.payload().toByteArray();
        String text = new String(payload, StandardCharsets.UTF_8);
        boolean isText = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), payload);
        return new ExportLine.Event(
                entry.position(),
                entry.run(),
                entry.seq(),
                stored.type(),
                stored.version(),
                stored.previousHash().toHex(),
                isText ? Optional.of(text) : Optional.empty(),
                isText ? Optional.empty() : Optional.of(Base64.getEncoder().encodeToString(payload)),
                leaf);
    }

    private static List<String> base64(List<byte[]> hashes) {
        return hashes.stream().map(Base64.getEncoder()::encodeToString).toList();
    }
}
