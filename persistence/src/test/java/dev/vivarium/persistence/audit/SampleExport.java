package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.tlog.StoredTree;
import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.TimeSpan;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A log of two runs that take turns, and exports of it. */
public final class SampleExport {
    public static final RunId ONE = new RunId("01jd4h5s2m8x7k9q3v6w0t1y2z");
    public static final RunId OTHER = new RunId("01jd4h5s2m8x7k9q3v6w0t1y30");

    private final LogKey key = LogKey.create("example.org/log");
    private final List<ExportLine.Event> events = new ArrayList<>();
    private final Map<RunId, String> heads = new HashMap<>();
    private final ByteArrayOutputStream leaves = new ByteArrayOutputStream();

    /** A log with this many events, fewer than a tile has. */
    public SampleExport(int size) {
        for (int position = 0; position < size; position++) {
            RunId run = position % 2 == 0 ? ONE : OTHER;
            long seq = position / 2 + 1L;
            String type = position >= size - 2 ? "RunSucceeded" : "RunTeleported";
            String payload = "{\"to\":\"Zürich " + position + "\"}";
            add(run, seq, type, payload);
        }
    }

    /** The same log with an act as its last event, which says that the events at these positions are deleted. */
    public SampleExport deleted(ActId act, Positions positions) {
        Act.RunsDeleted deletion = new Act.RunsDeleted(
                Instant.EPOCH, "node-1", new Tenant("research"), TimeSpan.parse("720h"), positions, List.of());
        JournalEntry entry = ActCodec.encode(act, deletion);
        add(new RunId(act.value()), 1, entry.type(), new String(entry.payload().toByteArray(), StandardCharsets.UTF_8));
        return this;
    }

    private void add(RunId run, long seq, String type, String payload) {
        String previous = heads.getOrDefault(run, HexFormat.of().formatHex(Verify.genesis(run.value())));
        byte[] hash =
                Verify.eventHash(HexFormat.of().parseHex(previous), type, 1, payload.getBytes(StandardCharsets.UTF_8));
        byte[] leaf = Verify.leafHash(Verify.leaf(run.value(), seq, hash));
        heads.put(run, HexFormat.of().formatHex(hash));
        leaves.writeBytes(leaf);
        events.add(new ExportLine.Event(
                events.size(),
                run,
                seq,
                type,
                1,
                previous,
                Optional.of(payload),
                Optional.empty(),
                Optional.of(text(leaf))));
    }

    /** The lines of an export of a range whose events at these positions are gone. */
    public List<ExportLine> lines(int from, int to, Positions gone) {
        List<ExportLine> lines = new ArrayList<>(lines(from, to));
        for (Positions.Range range : gone.ranges()) {
            List<String> hashes = events.subList((int) range.first(), (int) range.last() + 1).stream()
                    .map(event -> event.leaf().orElseThrow())
                    .toList();
            ExportLine missing = new ExportLine.Missing(range.first(), range.last() + 1, hashes);
            lines.removeIf(line -> line instanceof ExportLine.Event event
                    && event.position() > range.first()
                    && event.position() <= range.last());
            lines.replaceAll(line ->
                    line instanceof ExportLine.Event event && event.position() == range.first() ? missing : line);
        }
        return lines;
    }

    /** The proof of the last event, the only one of its chain. */
    public String proofOfTheLast() {
        ExportLine.Event last = events.get(events.size() - 1);
        StringBuilder proof =
                new StringBuilder(Verify.FORMAT + "\nrun " + last.run() + "\nevent 1 " + last.position() + " "
                        + last.type() + " " + last.version() + " "
                        + text(HexFormat.of().parseHex(last.previousHash())) + " "
                        + text(last.payload().orElseThrow().getBytes(StandardCharsets.UTF_8)) + "\n");
        StoredTree tree = tree();
        tree.inclusion(last.position()).forEach(hash -> proof.append(text(hash) + "\n"));
        return proof + "\n" + LogKeys.parse(key.text()).sign(events.size(), tree.root());
    }

    private StoredTree tree() {
        return new StoredTree(events.size(), (level, index, width) -> leaves.toByteArray());
    }

    public List<Verify.Key> keys() {
        return Verify.Key.parse(key.verifier());
    }

    public String verifier() {
        return key.verifier();
    }

    /** The lines of an export of a range. */
    public List<ExportLine> lines(int from, int to) {
        StoredTree tree = tree();
        List<ExportLine> lines = new ArrayList<>();
        lines.add(new ExportLine.Begin(ExportLine.FORMAT, from, to, Map.of(), text(tree.cover(0, from))));
        lines.addAll(events.subList(from, to));
        lines.add(new ExportLine.End(
                from,
                to,
                text(tree.cover(to, events.size())),
                LogKeys.parse(key.text()).sign(events.size(), tree.root())));
        return lines;
    }

    private static List<String> text(List<byte[]> hashes) {
        return hashes.stream().map(SampleExport::text).toList();
    }

    private static String text(byte[] hash) {
        return Base64.getEncoder().encodeToString(hash);
    }
}
