package dev.vivarium.node.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.archive.UnpackStep.Folder;
import dev.vivarium.node.archive.UnpackStep.Link;
import dev.vivarium.node.archive.UnpackStep.Part;
import dev.vivarium.node.archive.UnpackStep.Unpacked;
import dev.vivarium.protocol.guest.NodeFrame.LinkKind;
import dev.vivarium.protocol.run.FileMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The steps that archives result in, and the archives that are refused. */
class UnpackerTest {
    private static final UnpackRoom ROOM = new UnpackRoom(1 << 20, 100);
    private static final String BASE = "/workspace/in";

    @Test
    void filesFoldersAndLinksComeWithTheirModes() {
        ByteString archive = TarWriter.folder("a", new FileMode(0750), 0)
                .concat(TarWriter.file("a/f", new FileMode(0640), 3, 0))
                .concat(ByteString.fromString("abc"))
                .concat(TarWriter.padding(3))
                .concat(TarWriter.file("a/empty", new FileMode(0400), 0, 0))
                .concat(TarWriter.link("a/l", "../a/f", 0))
                .concat(TarWriter.END);

        assertThat(unpack(archive))
                .containsExactly(
                        new Folder("/workspace/in/a", new FileMode(0750)),
                        new Part("/workspace/in/a/f", new FileMode(0640), 0, ByteString.fromString("abc")),
                        new Part("/workspace/in/a/empty", new FileMode(0400), 0, ByteString.emptyByteString()),
                        new Link("/workspace/in/a/l", LinkKind.SYMBOLIC, "../a/f"),
                        new Unpacked("/workspace/in", new UnpackRoom(3, 4)));
    }

    @Test
    void hardLinksPointToEarlierEntries() {
        assertThat(unpack(new RawTar().file("f", "x").link('1', "dir/h", "./f").closed()))
                .contains(new Link("/workspace/in/dir/h", LinkKind.HARD, "/workspace/in/f"));
    }

    @Test
    void bitsBeyondPermissionsAreCleared() {
        assertThat(unpack(new RawTar()
                        .entry('0', "su", 06755)
                        .entry('5', "t", 01777)
                        .closed()))
                .contains(
                        new Part("/workspace/in/su", new FileMode(0755), 0, ByteString.emptyByteString()),
                        new Folder("/workspace/in/t", new FileMode(0777)));
    }

    @Test
    void aFileStaysOpenToItsOwnerUntilItIsWhole() {
        ByteString archive = TarWriter.file("f", new FileMode(0400), 6, 0).concat(ByteString.fromString("abcdef"));
        Unpacker unpacker = new Unpacker(BASE, "/workspace", ROOM);

        List<UnpackStep> steps = new ArrayList<>(unpacker.add(archive.take(515)));
        steps.addAll(unpacker.add(archive.drop(515)));

        assertThat(steps)
                .containsExactly(
                        new Part("/workspace/in/f", new FileMode(0600), 0, ByteString.fromString("abc")),
                        new Part("/workspace/in/f", new FileMode(0400), 3, ByteString.fromString("def")));
    }

    @Test
    void unwritableFoldersGetTheirModesLastAndTheDeepestFirst() {
        assertThat(unpack(new RawTar()
                        .entry('5', "a", 0500)
                        .entry('5', "a/b", 0)
                        .file("a/b/f", "")
                        .closed()))
                .containsExactly(
                        new Folder("/workspace/in/a", new FileMode(0700)),
                        new Folder("/workspace/in/a/b", new FileMode(0700)),
                        new Part("/workspace/in/a/b/f", new FileMode(0644), 0, ByteString.emptyByteString()),
                        new Folder("/workspace/in/a/b", new FileMode(0)),
                        new Folder("/workspace/in/a", new FileMode(0500)),
                        new Unpacked("/workspace/in", new UnpackRoom(0, 3)));
    }

    @Test
    void theFolderItselfAndDotsAddNoSteps() {
        assertThat(unpack(new RawTar().entry('5', "./").entry('0', ".//a/./b").closed()))
                .containsExactly(
                        new Part("/workspace/in/a/b", FileMode.PLAIN, 0, ByteString.emptyByteString()),
                        new Unpacked("/workspace/in", new UnpackRoom(0, 2)));
    }

    @Test
    void longNamesAreReadInAllThreeNotations() {
        String name = "d/" + "n".repeat(240);
        String record = " path=" + name + "\n";
        ByteString gnu = new RawTar()
                .with('L', "././@LongLink", name + "\0")
                .entry('0', "cut")
                .closed();
        ByteString pax = new RawTar()
                .with('x', "pax", (record.length() + 3) + record)
                .entry('0', "cut")
                .closed();
        ByteString ours = TarWriter.file(name, FileMode.PLAIN, 0, 0).concat(TarWriter.END);

        for (ByteString archive : List.of(gnu, pax, ours)) {
            assertThat(unpack(archive).get(0).path()).isEqualTo("/workspace/in/" + name);
        }
    }

    @Test
    void namesBeyondAsciiAreKept() {
        assertThat(unpack(TarWriter.file("é/漢", FileMode.PLAIN, 0, 0).concat(TarWriter.END))
                        .get(0)
                        .path())
                .isEqualTo("/workspace/in/é/漢");
    }

    @Test
    void theLaterOfTwoEntriesWithOneNameWins() {
        assertThat(unpack(new RawTar().file("f", "1").file("f", "2").closed()))
                .containsSubsequence(
                        new Part("/workspace/in/f", FileMode.PLAIN, 0, ByteString.fromString("1")),
                        new Part("/workspace/in/f", FileMode.PLAIN, 0, ByteString.fromString("2")));
    }

    @ParameterizedTest
    @CsvSource({
        "a/l, f, true",
        "a/l, ./f, true",
        "a/l, ../f, true",
        "a/l, ../../f, true",
        "a/l, ../../../f, false",
        "l, .., true",
        "l, ../.., false",
        "l, a/../b, false",
        "l, ./../f, true",
        "l, /workspace, true",
        "l, /workspace/other/f, true",
        "l, /workspace/../etc/passwd, false",
        "l, /workspacex, false",
        "l, /tmp/f, false",
        "l, /etc/passwd, false",
        "l, /, false",
        "l, //workspace/f, false",
    })
    void linksOutOfTheWorkspaceAreRefused(String name, String target, boolean taken) {
        ByteString archive = new RawTar().link('2', name, target).closed();

        if (taken) {
            assertThat(unpack(archive)).contains(new Link(BASE + "/" + name, LinkKind.SYMBOLIC, target));
        } else {
            assertThatThrownBy(() -> unpack(archive))
                    .isInstanceOf(BadArchive.class)
                    .hasMessageContaining("'" + name + "'")
                    .hasMessageContaining("leads out of /workspace");
        }
    }

    static Stream<Arguments> hostile() {
        return Stream.of(
                Arguments.of("/etc/cron", new RawTar().file("/etc/cron", "x").closed(), "is absolute"),
                Arguments.of("../f", new RawTar().file("../f", "x").closed(), "'..'"),
                Arguments.of("a/../../f", new RawTar().file("a/../../f", "x").closed(), "'..'"),
                Arguments.of("a/..", new RawTar().entry('5', "a/..").closed(), "'..'"),
                Arguments.of("hard out", new RawTar().link('1', "h", "../f").closed(), "'..'"),
                Arguments.of(
                        "hard absolute",
                        new RawTar().link('1', "h", "/etc/passwd").closed(),
                        "is absolute"),
                Arguments.of("hard to folder", new RawTar().link('1', "h", ".").closed(), "hard link to a folder"),
                Arguments.of("empty target", new RawTar().link('2', "l", "").closed(), "target is empty"),
                Arguments.of("itself", new RawTar().file(".", "x").closed(), "take the place of the folder"),
                Arguments.of("device", new RawTar().entry('3', "tty").closed(), "is a device"),
                Arguments.of("disk", new RawTar().entry('4', "sda").closed(), "is a device"),
                Arguments.of("pipe", new RawTar().entry('6', "p").closed(), "is a pipe"),
                Arguments.of("sparse", new RawTar().entry('S', "s").closed(), "--sparse"),
                Arguments.of("pax sparse", pax("GNU.sparse.major=1"), "--sparse"),
                Arguments.of("volume", new RawTar().entry('M', "m").closed(), "another archive"),
                Arguments.of("dump", new RawTar().entry('D', "m").closed(), "a kind that is not known (D)"),
                Arguments.of("unprintable kind", new RawTar().entry('\7', "m").closed(), "not known (7)"),
                Arguments.of(
                        "no UTF-8",
                        new RawTar()
                                .entry('0', new byte[] {'a', (byte) 0xff}, 0644, 0, "")
                                .closed(),
                        "not UTF-8"),
                Arguments.of("pax NUL", pax("path=a\0b"), "holds a NUL"),
                Arguments.of("pax long", pax("path=" + "a/".repeat(600) + "b"), "longer than 1024 bytes"),
                Arguments.of("deep", pax("path=" + "a/".repeat(101) + "b"), "deeper than 100"),
                Arguments.of("long part", pax("path=" + "a".repeat(256)), "more than 255 bytes"),
                Arguments.of("pax size", pax("size=-1"), "extended header is malformed"),
                Arguments.of(
                        "huge",
                        new RawTar()
                                .entry('0', "f".getBytes(StandardCharsets.UTF_8), 0, 077777777777L, "")
                                .closed(),
                        "limits.disk"),
                Arguments.of(
                        "negative",
                        new RawTar()
                                .entry('0', "f".getBytes(StandardCharsets.UTF_8), 0, -1, "")
                                .closed(),
                        "negative or too large"),
                Arguments.of(
                        "content of a link", new RawTar().with('2', "l", "x").closed(), "has a content"),
                Arguments.of(
                        "long meta",
                        new RawTar()
                                .entry('L', "f".getBytes(StandardCharsets.UTF_8), 0, 1 << 17, "")
                                .closed(),
                        "64 KiB"),
                Arguments.of(
                        "meta without end",
                        new RawTar()
                                .with('x', "a", "x".repeat(40000))
                                .with('x', "b", "y")
                                .closed(),
                        "malformed"),
                Arguments.of("no tar", ByteString.fromString("PK\3\4" + "z".repeat(600)), "no tar archive"),
                Arguments.of("no number", new RawTar().raw("x".repeat(512)).closed(), "no tar archive"),
                Arguments.of("cut header", new RawTar().file("f", "x").open().take(500), "cut off"),
                Arguments.of("cut content", new RawTar().file("f", "x").open().take(600), "cut off"),
                Arguments.of("no end", new RawTar().file("f", "x").open(), "cut off"),
                Arguments.of("nothing", ByteString.emptyByteString(), "cut off"));
    }

    private static ByteString pax(String record) {
        String rest = " " + record + "\n";
        int length = rest.getBytes(StandardCharsets.UTF_8).length
                + Integer.toString(rest.length() + 2).length();
        return new RawTar().with('x', "pax", length + rest).entry('0', "f").closed();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostile")
    void hostileArchivesAreRefusedWithASentence(String name, ByteString archive, String said) {
        assertThatThrownBy(() -> unpack(archive)).isInstanceOf(BadArchive.class).hasMessageContaining(said);
    }

    @Test
    void namesAreShownWithoutControlCharacters() {
        assertThatThrownBy(() -> unpack(new RawTar().entry('6', "a\u001b[2Jb\n").closed()))
                .hasMessage("its entry 'a\\u001b[2Jb\\u000a' is a pipe: leave it out, and have the agent make it");
    }

    @Test
    void tooManyFilesAreRefusedAtTheLimit() {
        RawTar bomb = new RawTar();
        for (int file = 0; file < 200; file++) {
            bomb.entry('0', "f" + file);
        }

        assertThatThrownBy(() -> unpack(bomb.closed()))
                .hasMessage("its entry 'f100' is one more than limits.files leaves room for (100)");
    }

    @Test
    void implicitFoldersCountTowardsTheLimit() {
        RawTar bomb = new RawTar();
        for (int file = 0; file < 20; file++) {
            bomb.entry('0', file + "/a/b/c/d/f");
        }

        assertThatThrownBy(() -> unpack(bomb.closed())).hasMessageContaining("'16/a/b/c/d/f' is one more");
    }

    @Test
    void bytesBehindTheEndAreIgnored() {
        assertThat(unpack(new RawTar().closed().concat(ByteString.fromString("z".repeat(2000)))))
                .containsExactly(new Unpacked("/workspace/in", new UnpackRoom(0, 0)));
    }

    @Test
    void theSizeOfThePiecesMakesNoDifference() {
        ByteString archive = TarWriter.folder("a", FileMode.EXECUTABLE, 0)
                .concat(TarWriter.file("a/" + "é".repeat(100), FileMode.PLAIN, 700, 0))
                .concat(ByteString.fromString("x".repeat(700)))
                .concat(TarWriter.padding(700))
                .concat(TarWriter.link("l", "a", 0))
                .concat(TarWriter.END);
        List<UnpackStep> whole = unpack(archive);
        Random random = new Random(7);

        for (int round = 0; round < 50; round++) {
            Unpacker unpacker = new Unpacker(BASE, "/workspace", ROOM);
            List<UnpackStep> steps = new ArrayList<>();
            for (ByteString rest = archive; !rest.isEmpty(); ) {
                int piece = Math.min(rest.size(), 1 + random.nextInt(round < 10 ? 3 : 900));
                steps.addAll(unpacker.add(rest.take(piece)));
                rest = rest.drop(piece);
            }
            unpacker.end();
            assertThat(joined(steps)).isEqualTo(joined(whole));
        }
    }

    /** Steps as text, with the parts of each file joined. */
    private static String joined(List<UnpackStep> steps) {
        StringBuilder text = new StringBuilder();
        for (UnpackStep step : steps) {
            if (step instanceof Part part) {
                text.append(part.offset() == 0 ? part.path() + ":" : "")
                        .append(part.bytes().utf8String());
            } else {
                text.append(step);
            }
        }
        return text.toString();
    }

    /** A hostile archive is refused, or results only in steps inside its folder. */
    @Test
    void damagedArchivesAreRefusedOrStayInTheirFolder() {
        byte[] sound = TarWriter.folder("a", FileMode.EXECUTABLE, 0)
                .concat(TarWriter.file("a/" + "é".repeat(100), FileMode.PLAIN, 10, 0))
                .concat(ByteString.fromString("0123456789"))
                .concat(TarWriter.padding(10))
                .concat(TarWriter.link("l", "a", 0))
                .concat(TarWriter.END)
                .toArray();
        Random random = new Random(11);
        for (int round = 0; round < 20_000; round++) {
            byte[] damaged = sound.clone();
            int block = random.nextInt(damaged.length / 512) * 512;
            for (int change = random.nextInt(4); change >= 0; change--) {
                damaged[block + random.nextInt(512)] = (byte) random.nextInt(256);
            }
            correctChecksum(damaged, block);
            try {
                assertThat(unpack(ByteString.fromArray(damaged)))
                        .allSatisfy(
                                step -> assertThat(step.path()).startsWith(BASE).doesNotContain("/../"));
            } catch (BadArchive refused) {
                assertThat(refused.getMessage()).isNotBlank();
            }
        }
    }

    private static void correctChecksum(byte[] archive, int block) {
        long sum = 8 * ' ';
        for (int at = 0; at < 512; at++) {
            sum += at >= 148 && at < 156 ? 0 : Byte.toUnsignedInt(archive[block + at]);
        }
        byte[] digits = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(digits, 0, archive, block + 148, digits.length);
    }

    private static List<UnpackStep> unpack(ByteString archive) {
        Unpacker unpacker = new Unpacker(BASE, "/workspace", ROOM);
        List<UnpackStep> steps = unpacker.add(archive);
        unpacker.end();
        return steps;
    }
}
