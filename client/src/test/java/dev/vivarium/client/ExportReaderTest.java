package dev.vivarium.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.ExportCheck;
import dev.vivarium.protocol.audit.ExportText;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.RangeRoot;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** An export that is read in pieces, by several threads, is judged as one that is read line by line. */
class ExportReaderTest {
    private static final List<String> RUNS = List.of("01jd4h5s2m8x7k9q3v6w0t1y2z", "01jd4h5s2m8x7k9q3v6w0t1y30");

    private final LogKeys keys = LogKeys.parse(LogKey.create("example.org/log").text());

    /** The lines of an export of events with these payloads, of two runs that take turns. */
    private List<String> export(List<String> payloads) {
        List<ExportLine> lines = new ArrayList<>();
        lines.add(new ExportLine.Begin(ExportLine.FORMAT, 0, payloads.size(), Map.of(), List.of()));
        RangeRoot tree = new RangeRoot(0, List.of());
        Map<String, byte[]> heads = new HashMap<>();
        for (int position = 0; position < payloads.size(); position++) {
            String run = RUNS.get(position % 2);
            long seq = position / 2 + 1L;
            String type = position >= payloads.size() - 2 ? "RunSucceeded" : "RunTeleported";
            byte[] previous = heads.getOrDefault(run, Verify.genesis(run));
            byte[] payload = payloads.get(position).getBytes(StandardCharsets.UTF_8);
            byte[] hash = Verify.eventHash(previous, type, 3, payload);
            byte[] leaf = Verify.leafHash(Verify.leaf(run, seq, hash));
            tree.append(leaf);
            heads.put(run, hash);
            boolean text = position != 5;
            lines.add(new ExportLine.Event(
                    position,
                    new RunId(run),
                    seq,
                    type,
                    3,
                    HexFormat.of().formatHex(previous),
                    text ? Optional.of(payloads.get(position)) : Optional.empty(),
                    text ? Optional.empty() : Optional.of(Base64.getEncoder().encodeToString(payload)),
                    Optional.of(Base64.getEncoder().encodeToString(leaf))));
        }
        byte[] root = tree.root(payloads.size()).orElseThrow();
        lines.add(new ExportLine.End(0, payloads.size(), List.of(), keys.sign(payloads.size(), root)));
        return lines.stream()
                .map(line -> new String(ApiJson.bytes(ApiJson.tree(line)), StandardCharsets.UTF_8))
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** With quotes, backslashes, other escapes, and letters of one to four bytes. */
    private List<String> few() {
        return export(List.of(
                "{\"to\":\"Bern\"}",
                "{\"to\":\"Zürich €𝄞\"}",
                "{\"path\":\"C:\\\\temp\",\"said\":\"\\\"no\\\"\"}",
                "{\"line\":\"one\\ntwo\",\"raw\":\"\t\"}",
                "{}",
                "bytes",
                "{\"to\":\"\u007f\"}",
                "{\"to\":\"Basel\"}"));
    }

    private List<String> many() {
        return export(Collections.nCopies(3000, "{\"to\":\"" + "Bern ".repeat(50) + "\"}"));
    }

    private static byte[] file(List<String> lines) {
        return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aLineOfAnEarlierVersionThatMissesEventsIsRead() {
        assertThat(ExportReader.line("{\"line\":\"missing\",\"from\":7,\"to\":8}"))
                .contains(new ExportLine.Missing(7, 8, List.of()));
        assertThat(ExportReader.line("{\"line\":\"missing\",\"from\":7,\"to\":8,\"leaves\":[\"a\"]}"))
                .contains(new ExportLine.Missing(7, 8, List.of("a")));
    }

    private Verify.Report inPieces(InputStream in) throws IOException {
        ExportCheck check = new ExportCheck(keys.verifiers());
        try (ExportReader reader = new ExportReader(check, 3)) {
            reader.read(in);
        }
        return check.report();
    }

    private Verify.Report inPieces(List<String> lines) throws IOException {
        return inPieces(new ByteArrayInputStream(file(lines)));
    }

    private ExportCheck lineByLine(List<String> lines) {
        ExportCheck check = new ExportCheck(keys.verifiers());
        lines.forEach(line -> check.accept(ExportReader.line(line)));
        return check;
    }

    @Test
    void anExportOfManyPiecesIsProven() throws IOException {
        List<String> lines = many();

        assertThat(file(lines).length).isGreaterThan(5 * (256 << 10));
        assertThat(inPieces(lines).sentences().get(0))
                .isEqualTo("3000 events, positions 0 to 2999, all of them and as they were written.");
        assertThat(inPieces(lines)).isEqualTo(lineByLine(lines).report());
        assertThat(inPieces(few()).verdict()).isEqualTo(Verify.Verdict.PROVEN);
    }

    @Test
    void whatWasDoneToAnExportIsNamedWhereverItWasDone() throws IOException {
        List<String> whole = many();
        for (int position : new int[] {0, 1499}) {
            int at = position + 1;
            List<String> lines = new ArrayList<>(whole);
            lines.set(at, lines.get(at).replace("Bern", "Genf"));
            assertThat(inPieces(lines).sentences()).singleElement().asString().startsWith("Position " + position + " ");
            alike(lines);

            lines = new ArrayList<>(whole);
            lines.remove(at);
            assertThat(inPieces(lines).sentences().get(0)).startsWith("The event at position " + position + " was");
            alike(lines);

            lines = new ArrayList<>(whole);
            lines.add(at, lines.get(at));
            assertThat(inPieces(lines).sentences())
                    .singleElement()
                    .asString()
                    .endsWith("is not in its place: it comes after position " + position + ".");
            alike(lines);

            lines = new ArrayList<>(whole);
            Collections.swap(lines, at, at + 1);
            assertThat(inPieces(lines).sentences().toString()).contains("is not in its place");
            alike(lines);

            alike(whole.subList(0, at + 1));
            alike(whole.subList(at, whole.size()));
        }
    }

    private void alike(List<String> lines) throws IOException {
        Verify.Report report = inPieces(lines);
        assertThat(report).isEqualTo(lineByLine(lines).report());
        assertThat(report.verdict()).isEqualTo(Verify.Verdict.NOT_PROVEN);
    }

    @Test
    void linesAsNodesWriteThemNeedNoReaderOfJson() {
        byte[] file = file(few());
        List<String> general = new ArrayList<>();
        new ExportText(line -> {
                    general.add(line);
                    return ExportReader.line(line);
                })
                .read(file, file.length);

        // The first and the last line; and payloads with a letter that is escaped, with a tab, and in base64.
        assertThat(general).hasSize(5);
    }

    @Test
    void eachByteIsReadAsJsonReadsIt() {
        byte[] file = file(few());
        byte[] others = {'"', '\\', '0', 'a', ' ', '\n', '\r', 0, '{', (byte) 0xc3, (byte) 0xbc};
        for (int at = 0; at < file.length; at++) {
            // Each of the others comes at each fourth place or so: all of them at all places take too long.
            for (int other = at % 4; other < others.length; other += 4) {
                byte[] changed = file.clone();
                changed[at] = others[other];
                Optional<String> text = text(changed);
                ExportCheck check = new ExportCheck(keys.verifiers());
                new ExportText(ExportReader::line).read(changed, changed.length).forEach(check::accept);
                text.ifPresentOrElse(
                        changedText -> assertThat(check.faults())
                                .as(changedText)
                                .isEqualTo(
                                        lineByLine(changedText.lines().toList()).faults()),
                        () -> assertThat(check.faults()).isNotEmpty());
            }
        }
    }

    private static Optional<String> text(byte[] bytes) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException notText) {
            return Optional.empty();
        }
    }

    @Test
    void theEndsOfLinesAreThoseOfAnySystem() throws IOException {
        byte[] windows = String.join("\r\n", few()).getBytes(StandardCharsets.UTF_8);

        assertThat(inPieces(new ByteArrayInputStream(windows)).verdict()).isEqualTo(Verify.Verdict.PROVEN);
    }

    @Test
    void aLineWithoutEndIsNoneAndTakesNoMemoryWithoutEnd() throws IOException {
        List<String> lines = few();
        InputStream before = new ByteArrayInputStream(file(lines.subList(0, 2)));
        InputStream endless = new InputStream() {
            private int left = 100 << 20;

            @Override
            public int read() {
                return left-- > 0 ? 'x' : -1;
            }

            @Override
            public int read(byte[] into, int at, int length) {
                int some = Math.min(length, left);
                Arrays.fill(into, at, at + some, (byte) 'x');
                left -= some;
                return some > 0 || length == 0 ? some : -1;
            }
        };
        InputStream after = new ByteArrayInputStream(
                ("\n" + String.join("\n", lines.subList(2, lines.size()))).getBytes(StandardCharsets.UTF_8));

        Verify.Report report = inPieces(new SequenceInputStream(new SequenceInputStream(before, endless), after));

        assertThat(report.sentences()).containsExactly("Line 3 is damaged, or was cut off.");
    }
}
