package dev.vivarium.persistence.contract;

import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileForm;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A run in the journal of an earlier version, or of this one as it was recorded.
 *
 * @param status its status at the time
 * @param bytes its entries as they were written
 * @param head the hash of the last one, in hexadecimal
 * @param files the files of the submission, as they are referred to today
 */
public record RecordedRun(RunId id, RunStatus status, List<byte[]> bytes, String head, Map<String, FileRef> files) {
    /** The last version with contents of files in events. */
    private static final String INLINE_FILES = "recorded-366b104.txt";

    /** Later versions, oldest first; {@link TodaysRuns} records the next one. */
    private static final List<String> LATER = List.of(
            "recorded-cc3d5a0.txt",
            "recorded-8f17674.txt",
            "recorded-ddf71dc.txt",
            "recorded-60696a2.txt",
            "recorded-1b982d9.txt",
            "recorded-c3ec7f7.txt",
            "recorded-340cc08.txt",
            "recorded-05e6da6.txt",
            "recorded-12ffa38.txt");

    /** Runs of the last version with contents of files in events, which cover every type of event that it had. */
    public static List<RecordedRun> withInlineFiles() {
        return read(INLINE_FILES);
    }

    /** Runs of later versions, which refer to contents; together they cover every variant of today's events. */
    public static List<RecordedRun> withReferences() {
        return LATER.stream().map(RecordedRun::read).flatMap(List::stream).toList();
    }

    /** All recorded runs. */
    public static List<RecordedRun> all() {
        return Stream.concat(withInlineFiles().stream(), withReferences().stream())
                .toList();
    }

    private static List<RecordedRun> read(String corpus) {
        List<List<String>> blocks = new ArrayList<>();
        for (String line : lines(corpus)) {
            if (line.startsWith("run ")) {
                blocks.add(new ArrayList<>());
            }
            if (!blocks.isEmpty()) {
                blocks.get(blocks.size() - 1).add(line);
            }
        }
        return blocks.stream().map(RecordedRun::parse).toList();
    }

    private static List<String> lines(String resource) {
        try (InputStream recorded = Objects.requireNonNull(RecordedRun.class.getResourceAsStream(resource))) {
            return new String(recorded.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static RecordedRun parse(List<String> block) {
        String[] run = block.get(0).split(" ", -1);
        List<byte[]> entries = new ArrayList<>();
        Map<String, FileRef> files = new TreeMap<>();
        String head = "";
        for (String line : block) {
            String rest = line.substring(line.indexOf(' ') + 1);
            if (line.startsWith("entry ")) {
                entries.add(Base64.getDecoder().decode(rest));
            } else if (line.startsWith("head ")) {
                head = rest;
            } else if (line.startsWith("file ") || line.startsWith("archive ")) {
                String[] file = rest.split(" ", 4);
                files.put(
                        file[3],
                        new FileRef(
                                FileMode.parse(file[0]),
                                Long.parseLong(file[1]),
                                Digest.parse(file[2]),
                                line.startsWith("file ") ? FileForm.FILE : FileForm.ARCHIVE));
            }
        }
        return new RecordedRun(new RunId(run[1]), RunStatus.valueOf(run[2]), entries, head, files);
    }

    /** The entries as read by the current code. */
    public List<JournalEntry> entries() {
        return bytes.stream()
                .map(entry -> JournalEntryFormat.read(JournalEntryFormat.MANIFEST, entry))
                .toList();
    }
}
