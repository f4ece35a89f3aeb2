package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.tlog.StoredTree;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.api.ExportLine;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Some lines of an export, from one position to another. An export of all events has with each the hash that the log's
 * tree has at its position, and what the tree has before and after the range, so that it proves itself by the checkpoint
 * in its last line; one that a filter narrows has neither.
 *
 * @param next the position that the following part begins with; empty after the last line
 */
public record ExportPart(List<ExportLine> lines, OptionalLong next) {
    /** Events of a part. */
    private static final int EVENTS_MAX = 100;

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
        lines.add(new ExportLine.End(
                range.from(),
                range.to(),
                whole ? base64(tree.cover(range.to(), range.log().claimedSize())) : List.of(),
                range.log().checkpoint()));
        return new ExportPart(lines, OptionalLong.empty());
    }

    /** Adds the first events of a range, and says which positions have none. */
    private static long addAll(List<ExportLine> lines, Window range, StoredTree tree, AuditTables tables) {
        Window few = range.and(new Window(range.from(), range.from() + EVENTS_MAX));
        Window window = tables.windows(AuditFilter.ALL, few, AuditOrder.OLDEST).get(0);
        List<AuditEntry> entries = tables.entries(AuditFilter.ALL, window, AuditOrder.OLDEST, EVENTS_MAX);
        long expected = range.from();
        for (AuditEntry entry : entries) {
            if (entry.position() > expected) {
                lines.add(new ExportLine.Missing(expected, entry.position()));
            }
            lines.add(line(entry, Optional.of(Base64.getEncoder().encodeToString(tree.leafHash(entry.position())))));
            expected = entry.position() + 1;
        }
        if (expected < window.to()) {
            lines.add(new ExportLine.Missing(expected, window.to()));
        }
        return window.to();
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
