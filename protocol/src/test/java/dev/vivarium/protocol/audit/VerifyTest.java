package dev.vivarium.protocol.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.run.RunEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A proof of a run of four events at the positions 1, 2, 4 and 5 of a log of seven. */
class VerifyTest {
    private static final String RUN = "01jd4h5s2m8x7k9q3v6w0t1y2z";
    private static final LogKey KEY = LogKey.create("example.org/log");
    private static final List<String> TYPES =
            List.of("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");
    private static final List<Integer> POSITIONS = List.of(1, 2, 4, 5);

    @TempDir
    private Path folder;

    private final List<byte[]> leaves = new ArrayList<>();
    /** The lines of each event with its path. */
    private final List<List<String>> events = new ArrayList<>();

    VerifyTest() {
        for (int position = 0; position < 7; position++) {
            leaves.add(Verify.leafHash(new byte[] {(byte) position}));
        }
        byte[] previous = Verify.genesis(RUN);
        List<String> lines = new ArrayList<>();
        for (int at = 0; at < TYPES.size(); at++) {
            byte[] payload = payload(at).getBytes(StandardCharsets.UTF_8);
            byte[] hash = Verify.eventHash(previous, TYPES.get(at), 1, payload);
            leaves.set(POSITIONS.get(at), Verify.leafHash(Verify.leaf(RUN, at + 1, hash)));
            lines.add("event " + (at + 1) + " " + POSITIONS.get(at) + " " + TYPES.get(at) + " 1 " + base64(previous)
                    + " " + base64(payload));
            previous = hash;
        }
        for (int at = 0; at < TYPES.size(); at++) {
            List<String> event = new ArrayList<>(List.of(lines.get(at)));
            path(POSITIONS.get(at), leaves).forEach(hash -> event.add(base64(hash)));
            events.add(event);
        }
    }

    private static String payload(int at) {
        return "{\"type\":\"" + TYPES.get(at) + "\",\"node\":\"node-1\"}";
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static byte[] root(List<byte[]> hashes) {
        if (hashes.size() == 1) {
            return hashes.get(0);
        }
        int split = Integer.highestOneBit(hashes.size() - 1);
        return Verify.nodeHash(root(hashes.subList(0, split)), root(hashes.subList(split, hashes.size())));
    }

    private static List<byte[]> path(int at, List<byte[]> hashes) {
        if (hashes.size() == 1) {
            return new ArrayList<>();
        }
        int split = Integer.highestOneBit(hashes.size() - 1);
        List<byte[]> left = hashes.subList(0, split);
        List<byte[]> right = hashes.subList(split, hashes.size());
        List<byte[]> path = at < split ? path(at, left) : path(at - split, right);
        path.add(root(at < split ? right : left));
        return path;
    }

    private String checkpoint(LogKey key, String origin) {
        String text = origin + "\n" + leaves.size() + "\n" + base64(root(leaves)) + "\n";
        return text + "\n" + key.signature(text);
    }

    private String proof() {
        return Verify.FORMAT + "\nrun " + RUN + "\n"
                + String.join("\n", events.stream().flatMap(List::stream).toList()) + "\n\n"
                + checkpoint(KEY, KEY.name());
    }

    private void edit(int event, int word, String text) {
        String[] words = events.get(event).get(0).split(" ");
        words[word] = text;
        events.get(event).set(0, String.join(" ", words));
    }

    private static void assertRefused(String proof, String... sentences) {
        Verify.Report report = Verify.check(proof, KEY.verifier());
        assertThat(report.verdict()).isEqualTo(Verify.Verdict.NOT_PROVEN);
        assertThat(report.sentences()).hasSize(sentences.length);
        for (int at = 0; at < sentences.length; at++) {
            assertThat(report.sentences().get(at)).contains(sentences[at]);
        }
    }

    @Test
    void aWholeHistoryIsProven() {
        Verify.Report report = Verify.check(proof(), KEY.verifier());

        assertThat(report.verdict()).isEqualTo(Verify.Verdict.PROVEN);
        assertThat(report.sentences())
                .startsWith(
                        "Run " + RUN + ", events 1 to 4, as they were written:",
                        "  1  position 1  {\"type\":\"RunSubmitted\",\"node\":\"node-1\"}")
                .contains("The last one ends the run: there are no others.");
    }

    @Test
    void aHistoryWithoutItsEndSaysThatThereMayBeMore() {
        events.remove(3);

        assertThat(Verify.check(proof(), KEY.verifier()).sentences())
                .contains("The run had not ended: there may be later events.");
    }

    @Test
    void aChangedEventIsNamed() {
        edit(2, 6, base64("{\"type\":\"AttemptStarted\",\"node\":\"node-2\"}".getBytes(StandardCharsets.UTF_8)));

        assertRefused(proof(), "Event 3 (AttemptStarted, position 4) was changed");
    }

    @Test
    void everyFieldOfAnEventCounts() {
        edit(1, 3, "AttemptStarted");
        edit(2, 4, "2");
        edit(3, 5, base64(new byte[32]));

        assertRefused(proof(), "Event 2 (AttemptStarted, position 2)", "Event 3 (", "Event 4 (");
    }

    @Test
    void aRemovedEventIsNamed() {
        events.remove(1);
        assertRefused(proof(), "Event 2 was removed: the proof goes on with event 3.");

        events.add(1, List.of("missing 2 2"));
        assertRefused(proof(), "Event 2 was removed: the log has it at position 2, and the journal has it no more.");
    }

    @Test
    void anInsertedEventIsNamed() {
        events.add(new ArrayList<>(events.get(3).subList(0, 1)));
        edit(4, 1, "5");
        edit(4, 2, "-");

        assertRefused(proof(), "Event 5 (RunSucceeded) was inserted: the log has no position for it.");
    }

    @Test
    void exchangedEventsAreNamedWithTheirPlaces() {
        String second = events.get(1).get(0);
        String third = events.get(2).get(0);
        events.get(1).set(0, third.replace("event 3 4", "event 2 2"));
        events.get(2).set(0, second.replace("event 2 2", "event 3 4"));

        assertRefused(
                proof(),
                "Event 2 (AttemptStarted, position 2) was moved: it was written as event 3, at position 4.",
                "Event 3 (AttemptStarting, position 4) was moved: it was written as event 2, at position 2.");
    }

    @Test
    void aProofOfAnotherRunIsNone() {
        assertRefused(
                proof().replace("run " + RUN, "run 01jd4h5s2m8x7k9q3v6w0t1y20"),
                "Event 1 (",
                "Event 2 (",
                "Event 3 (",
                "Event 4 (");
    }

    @Test
    void aProofThatIsCutOffAnywhereIsRefused() {
        String proof = proof();
        for (int end = 0; end < proof.length(); end++) {
            assertThat(Verify.check(proof.substring(0, end), KEY.verifier()).verdict())
                    .as("the first %d characters", end)
                    .isEqualTo(Verify.Verdict.NOT_PROVEN);
        }
    }

    @Test
    void anotherKeyAnotherLogAndAnotherSizeAreRefused() {
        LogKey other = LogKey.create("example.org/other");
        String proof = proof();
        String signed = checkpoint(KEY, KEY.name());

        assertThat(Verify.check(proof, other.verifier()).sentences().get(0)).contains("by none of the given keys");
        assertThat(Verify.check(proof, LogKey.create(KEY.name()).verifier()).verdict())
                .isEqualTo(Verify.Verdict.NOT_PROVEN);
        assertRefused(
                proof.replace(signed, checkpoint(KEY, "example.org/third")),
                "The checkpoint is of the log example.org/third, and signed by the key of example.org/log.");
        assertRefused(proof.replace("\n7\n", "\n8\n"), "is not what example.org/log has signed");
        assertThat(Verify.check(proof, "").sentences()).containsExactly("There is no verifier key.");
        assertThat(Verify.check(proof, other.verifier() + "\n# the old one\n\n" + KEY.verifier())
                        .verdict())
                .isEqualTo(Verify.Verdict.PROVEN);
    }

    @Test
    void nothingOfAnEventReachesATerminalButText() {
        edit(3, 3, "%1B%5B2J");

        assertRefused(proof(), "Event 4 (\\u{1b}[2J, position 5) was changed");
    }

    @Test
    void allEndsOfRunsAreKnown() {
        for (Class<?> end : RunEvent.Terminal.class.getPermittedSubclasses()) {
            TypesOfOneEvent one = new TypesOfOneEvent(end.getSimpleName());
            assertThat(Verify.check(one.proof(), KEY.verifier()).sentences())
                    .contains("The last one ends the run: there are no others.");
        }
    }

    /** A log of one event. */
    private record TypesOfOneEvent(String type) {
        String proof() {
            byte[] previous = Verify.genesis(RUN);
            byte[] leaf = Verify.leafHash(Verify.leaf(RUN, 1, Verify.eventHash(previous, type, 1, new byte[0])));
            String text = KEY.name() + "\n1\n" + base64(leaf) + "\n";
            return Verify.FORMAT + "\nrun " + RUN + "\nevent 1 0 " + type + " 1 " + base64(previous) + " \n\n" + text
                    + "\n" + KEY.signature(text);
        }
    }

    @Test
    void theProgramRunsFromItsSourceOnABareJava() throws IOException, InterruptedException {
        Path source = Path.of("src/main/java/dev/vivarium/protocol/audit/Verify.java");
        Files.copy(source, folder.resolve("Verify.java"));
        Files.writeString(folder.resolve("proof"), proof());
        Files.writeString(folder.resolve("key"), KEY.verifier() + "\n");

        assertThat(run("Verify.java", "proof", "key")).isZero();
        assertThat(Files.readString(folder.resolve("out"))).startsWith("PROVEN\n");

        Files.writeString(folder.resolve("proof"), proof().replace("event 2", "event 3"));
        assertThat(run("Verify.java", "proof", KEY.verifier())).isEqualTo(1);
        assertThat(Files.readString(folder.resolve("out"))).startsWith("NOT PROVEN\n");
        assertThat(run("Verify.java", "none", "key")).isEqualTo(2);
        assertThat(run("Verify.java")).isEqualTo(2);
    }

    private int run(String... arguments) throws IOException, InterruptedException {
        Process program = new ProcessBuilder(Stream.concat(
                                Stream.of(Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString()),
                                Arrays.stream(arguments))
                        .toList())
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("out").toFile())
                .start();
        try {
            assertThat(program.waitFor(120, TimeUnit.SECONDS)).isTrue();
            return program.exitValue();
        } finally {
            program.destroyForcibly();
        }
    }

    @Test
    void theKeysOfALogAreOneNamesAndASecondOneIsARotation() {
        LogKey next = LogKey.create(KEY.name());
        LogKey foreign = LogKey.create("example.org/other");
        LogKeys keys = LogKeys.parse("# keys\n" + next.text() + "\n" + KEY.text() + "\n" + foreign.text() + "\n");

        assertThat(keys.origin()).isEqualTo(KEY.name());
        assertThat(keys.signers()).extracting(LogKey::verifier).containsExactly(next.verifier(), KEY.verifier());
        String note = keys.sign(3, new byte[32]);
        assertThat(Verify.Checkpoint.open(note, Verify.Key.parse(KEY.verifier()))
                        .size())
                .isEqualTo(3);
        assertThat(Verify.Checkpoint.open(note, Verify.Key.parse(next.verifier()))
                        .size())
                .isEqualTo(3);
        assertThat(keys.open(note).signers()).hasSize(2);
        assertThatThrownBy(() -> LogKeys.parse(KEY.verifier())).hasMessageContaining("no key that signs");
        assertThatThrownBy(() -> LogKeys.parse(KEY.text().substring(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining(KEY.text().substring(60));
    }
}
