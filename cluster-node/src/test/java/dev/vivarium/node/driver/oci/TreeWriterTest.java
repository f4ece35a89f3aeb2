package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
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
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final TarArchiveOutputStream archive = new TarArchiveOutputStream(bytes);

    @BeforeEach
    void begin() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can give files to others.");
        root = Files.createDirectory(above.resolve("tree"));
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

    @ParameterizedTest
    @ValueSource(strings = {"../secret", "out", "missing"})
    void hardLinksMustPointIntoTheTree(String target) throws IOException {
        link("out", TarConstants.LF_SYMLINK, above.resolve("secret").toString());
        link("mine", TarConstants.LF_LINK, target);

        assertThatThrownBy(this::write).isInstanceOf(TreeWriter.MalformedImageException.class);
        assertThat(Files.exists(root.resolve("mine"), LinkOption.NOFOLLOW_LINKS))
                .isFalse();
    }

    @Test
    void anErrorOfTheDiskIsReportedAsTheDisks() throws IOException {
        file("twice", 0644, "once");
        file("twice", 0644, "again");

        assertThatThrownBy(this::write).isInstanceOf(TreeWriter.DiskException.class);
    }

    private void write() throws IOException {
        archive.close();
        new TreeWriter(root).write(new ByteArrayInputStream(bytes.toByteArray()));
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
