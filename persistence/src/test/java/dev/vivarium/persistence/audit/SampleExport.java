package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.tlog.StoredTree;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
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
    private final ByteArrayOutputStream leaves = new ByteArrayOutputStream();

    /** A log with this many events, fewer than a tile has. */
    public SampleExport(int size) {
        Map<RunId, String> heads = new HashMap<>();
        for (int position = 0; position < size; position++) {
            RunId run = position % 2 == 0 ? ONE : OTHER;
            long seq = position / 2 + 1L;
            String type = position >= size - 2 ? "RunSucceeded" : "RunTeleported";
            String payload = "{\"to\":\"Zürich " + position + "\"}";
            String previous = heads.getOrDefault(run, HexFormat.of().formatHex(Verify.genesis(run.value())));
            byte[] hash = Verify.eventHash(
                    HexFormat.of().parseHex(previous), type, 1, payload.getBytes(StandardCharsets.UTF_8));
            byte[] leaf = Verify.leafHash(Verify.leaf(run.value(), seq, hash));
            heads.put(run, HexFormat.of().formatHex(hash));
            leaves.writeBytes(leaf);
            events.add(new ExportLine.Event(
                    position,
                    run,
                    seq,
                    type,
                    1,
                    previous,
                    Optional.of(payload),
                    Optional.empty(),
                    Optional.of(text(leaf))));
        }
    }

    public List<Verify.Key> keys() {
        return Verify.Key.parse(key.verifier());
    }

    public String verifier() {
        return key.verifier();
    }

    /** The lines of an export of a range. */
    public List<ExportLine> lines(int from, int to) {
        StoredTree tree = new StoredTree(events.size(), (level, index, width) -> leaves.toByteArray());
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
