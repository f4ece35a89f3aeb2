package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreeWriterTest {
    private static final FileTime LONG_AGO = FileTime.fromMillis(1_000_000_000_000L);

    @TempDir
    private Path above;

    private Path root;
    private DiskBudget.Limits limits = new DiskBudget.Limits(1 << 30, 60_000, 0);
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final TarArchiveOutputStream archive = new TarArchiveOutputStream(bytes, "UTF-8");

    @BeforeEach
    void begin() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can give files to others.");
        root = Files.createDirectory(above.resolve("tree"));
        archive.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        Files.writeString(above.resolve("secret"), "of the host");
    }

    @Test
    void filesKeepTheirModesOwnersAndTimes() throws IOException {
        folder("bin/", 0755);
        file("bin/su", 04755, "a program");
        link("bin/again", TarConstants.LF_LINK, "bin/su");
        link("sbin", TarConstants.LF_SYMLINK, "/bin");
        write();

        Path program = root.resolve("bin/su");
        assertThat(program).hasContent("a program");
        assertThat(Files.getAttribute(program, "unix:mode")).isEqualTo(0104755);
        assertThat(Files.getAttribute(program, "unix:uid")).isEqualTo(33);
        assertThat(Files.getAttribute(program, "unix:nlink")).isEqualTo(2);
        assertThat(Files.getLastModifiedTime(program)).isEqualTo(LONG_AGO);
        assertThat(Files.getLastModifiedTime(root.resolve("bin"))).isEqualTo(LONG_AGO);
        assertThat(Files.readSymbolicLink(root.resolve("sbin"))).hasToString("/bin");
    }

    @Test
    void devicesAndPipesAreLeftOut() throws IOException {
        folder("dev/", 0755);
        link("dev/sda", TarConstants.LF_BLK, "");
        link("dev/mem", TarConstants.LF_CHR, "");
        link("dev/pipe", TarConstants.LF_FIFO, "");
        write();

        assertThat(root.resolve("dev")).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"../escaped", "bin/../../escaped", "missing/file"})
    void noPathLeadsOutOfTheTree(String path) throws IOException {
        folder("bin/", 0755);
        file(path, 0644, "hostile");

        assertThatThrownBy(this::write).isInstanceOf(TreeWriter.MalformedImageException.class);
        assertThat(above.resolve("escaped")).doesNotExist();
    }

    @Test
    void anAbsolutePathIsRelativeToTheTree() throws IOException {
        folder("/etc/", 0755);
        file("/etc/passwd", 0644, "of the image");
        write();

        assertThat(root.resolve("etc/passwd")).hasContent("of the image");
    }

    @Test
    void noPathLeadsThroughALink() throws IOException {
        link("out", TarConstants.LF_SYMLINK, above.toString());
        file("out/escaped", 0644, "hostile");

        assertThatThrownBy(this::write).isInstanceOf(TreeWriter.MalformedImageException.class);
        assertThat(above.resolve("escaped")).doesNotExist();
    }

    /** The engine exports every further name of a file as a hard link, be it a symbolic link or a device. */
    @Test
    void hardLinksToSymbolicLinksAreSymbolicLinksAndThoseToDevicesAreLeftOut() throws IOException {
        link("null", TarConstants.LF_CHR, "");
        link("null-again", TarConstants.LF_LINK, "null");
        link("out", TarConstants.LF_SYMLINK, above.resolve("secret").toString());
        link("out-again", TarConstants.LF_LINK, "out");
        write();

        assertThat(Files.readSymbolicLink(root.resolve("out-again"))).isEqualTo(above.resolve("secret"));
        assertThat(root.resolve("null-again")).doesNotExist();
        assertThat(Files.getAttribute(above.resolve("secret"), "unix:nlink")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret", "out/secret", "missing"})
    void hardLinksMustPointIntoTheTree(String target) throws IOException {
        link("out", TarConstants.LF_SYMLINK, above.toString());
        link("mine", TarConstants.LF_LINK, target);

        assertThatThrownBy(this::write).isInstanceOf(TreeWriter.MalformedImageException.class);
        assertThat(Files.exists(root.resolve("mine"), LinkOption.NOFOLLOW_LINKS))
                .isFalse();
    }

    @Test
    void aPathThatComesTwiceIsTheImagesFault() throws IOException {
        file("twice", 0644, "once");
        file("twice", 0644, "again");

        assertThatThrownBy(this::write)
                .isInstanceOf(TreeWriter.MalformedImageException.class)
                .hasMessage("it has twice more than once");
    }

    @Test
    void anErrorOfTheDiskIsReportedAsTheDisks() throws IOException {
        file("file", 0644, "content");
        Files.delete(root);

        assertThatThrownBy(this::write).isInstanceOf(TreeWriter.DiskException.class);
    }

    @Test
    void newlinesAndLettersOfAnyScriptAreNamesAsOthers() throws IOException {
        folder("two\nlines/", 0755);
        file("two\nlines/F\u0151tan\u00fas\u00edtv\u00e1ny \ud83d\ude00", 0644, "content");
        write();

        assertThat(root.resolve("two\nlines").resolve("F\u0151tan\u00fas\u00edtv\u00e1ny \ud83d\ude00"))
                .hasContent("content");
    }

    @Test
    void anImageOfTooManyFilesIsRefused() throws IOException {
        file("1", 0644, "");
        file("2", 0644, "");
        file("3", 0644, "");
        limits = new DiskBudget.Limits(1 << 30, 2, 0);

        assertThatThrownBy(this::write)
                .isInstanceOf(TreeWriter.MalformedImageException.class)
                .hasMessage("it has more than 2 files, folders and links (vivarium.driver.oci.image-entries-max)");
        assertThat(root.resolve("3")).doesNotExist();
    }

    @Test
    void anImageOfTooManyBytesIsRefusedBeforeTheyAreWritten() throws IOException {
        file("large", 0644, "x".repeat(100_000));
        limits = new DiskBudget.Limits(80_000, 100, 0);

        assertThatThrownBy(this::write)
                .isInstanceOf(TreeWriter.MalformedImageException.class)
                .hasMessageStartingWith("it has more than 80000 bytes");
        assertThat(Files.size(root.resolve("large"))).isLessThan(80_000);
    }

    @Test
    void theDisksLastBytesAreNotTaken() throws IOException {
        file("file", 0644, "content");
        limits = new DiskBudget.Limits(1 << 30, 100, Long.MAX_VALUE);

        assertThatThrownBy(this::write)
                .isInstanceOf(TreeWriter.DiskException.class)
                .hasMessageContaining("(vivarium.driver.oci.free-min)");
        assertThat(root).isEmptyDirectory();
    }

    @Test
    void foldersAreNoDeeperThanWalksThroughThemCanBe() throws IOException {
        for (int depth = 1; depth <= 201; depth++) {
            folder("f/".repeat(depth), 0755);
        }

        assertThatThrownBy(this::write)
                .isInstanceOf(TreeWriter.MalformedImageException.class)
                .hasMessageStartingWith("it has a path that is too long: f/f/f/");
    }

    @Test
    void anArchiveWithoutAnEndIsRefused() throws IOException {
        limits = new DiskBudget.Limits(1 << 30, 50_000, 0);

        assertThatThrownBy(() -> writer().write(endless("device")))
                .hasMessageStartingWith("it has more than 50000 files");
    }

    @Test
    void namesThatAreKeptOnTheHeapAreBounded() throws IOException {
        limits = new DiskBudget.Limits(Long.MAX_VALUE, Long.MAX_VALUE, 0);

        assertThatThrownBy(() -> writer().write(endless("d".repeat(99)))).hasMessage("it has too many folders");
    }

    /** The same device again and again. */
    private InputStream endless(String device) throws IOException {
        link(device, TarConstants.LF_CHR, "");
        byte[] header = Arrays.copyOf(bytes.toByteArray(), 512);
        return new InputStream() {
            private int next;

            @Override
            public int read() {
                next = (next + 1) % header.length;
                return header[(next + header.length - 1) % header.length] & 0xff;
            }

            @Override
            public int read(byte[] into, int from, int length) {
                int count = Math.min(length, header.length - next);
                System.arraycopy(header, next, into, from, count);
                next = (next + count) % header.length;
                return count;
            }
        };
    }

    @Test
    void anOwnerThatMeansNoOneIsRefused() throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry("file", true);
        entry.setUserId(0xffff_ffffL);
        archive.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
        archive.putArchiveEntry(entry);
        archive.closeArchiveEntry();

        assertThatThrownBy(this::write).hasMessage("its file has an owner that is none");
    }

    @Test
    void aRefusalQuotesNoControlCharacters() throws IOException {
        file("two\nlines/\u001b[31mfile", 0644, "content");

        assertThatThrownBy(this::write).hasMessage("it has two?lines/?[31mfile in what is no directory");
    }

    /** As the engine writes it: raw bytes in an extended header. */
    @Test
    void aNameThatIsNotUnicodeIsRefused() throws IOException {
        archive.setAddPaxHeadersForNonAsciiNames(true);
        file("na\u00efve", 0644, "content");
        archive.close();
        byte[] raw = new String(bytes.toByteArray(), StandardCharsets.ISO_8859_1)
                .replace("\u00c3\u00af", "\u00ff\u00fe")
                .getBytes(StandardCharsets.ISO_8859_1);

        assertThatThrownBy(() -> writer().write(new ByteArrayInputStream(raw)))
                .isInstanceOf(TreeWriter.MalformedImageException.class)
                .hasMessageStartingWith("it has a file whose name is not in UTF-8: na");
    }

    private TreeWriter writer() throws IOException {
        return new TreeWriter(root, new DiskBudget(limits, Files.getFileStore(above)));
    }

    private void write() throws IOException {
        archive.close();
        writer().write(new ByteArrayInputStream(bytes.toByteArray()));
    }

    private void folder(String path, int mode) throws IOException {
        put(new TarArchiveEntry(path, true), mode, "");
    }

    private void file(String path, int mode, String content) throws IOException {
        put(new TarArchiveEntry(path, true), mode, content);
    }

    private void link(String path, byte type, String target) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(path, type);
        entry.setLinkName(target);
        put(entry, 0777, "");
    }

    private void put(TarArchiveEntry entry, int mode, String content) throws IOException {
        byte[] text = content.getBytes(StandardCharsets.UTF_8);
        entry.setMode(mode);
        entry.setUserId(33);
        entry.setGroupId(33);
        entry.setLastModifiedTime(LONG_AGO);
        entry.setSize(text.length);
        archive.putArchiveEntry(entry);
        archive.write(text);
        archive.closeArchiveEntry();
    }
}
