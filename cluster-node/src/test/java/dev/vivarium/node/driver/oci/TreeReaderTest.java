package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an image can put where a file of it is read. */
@Timeout(30)
class TreeReaderTest {
    private static final Path PATH = Path.of("etc/passwd");
    private static final int BYTES_MAX = 10;

    @TempDir
    Path folder;

    private Path tree;

    @BeforeEach
    void makeTree() throws IOException {
        tree = Files.createDirectories(folder.resolve("tree"));
        Files.createDirectory(tree.resolve("etc"));
        Files.createDirectory(folder.resolve("etc"));
        Files.writeString(folder.resolve("etc/passwd"), "outside");
    }

    @Test
    void aPlainFileIsRead() throws IOException {
        Files.writeString(tree.resolve(PATH), "inside");

        assertThat(read()).isEqualTo("inside");
    }

    @Test
    void aMissingFileIsEmpty() throws IOException {
        assertThat(read()).isEmpty();
        Files.delete(tree.resolve("etc"));
        assertThat(read()).isEmpty();
        Files.writeString(tree.resolve("etc"), "a file");
        assertThat(read()).isEmpty();
    }

    @Test
    void aLinkIsNotFollowed() throws IOException {
        for (Path target : new Path[] {folder.resolve("etc/passwd"), Path.of("../../etc/passwd"), Path.of("other")}) {
            Files.writeString(tree.resolve("etc/other"), "inside");
            Files.createSymbolicLink(tree.resolve(PATH), target);
            assertThat(read()).as(target.toString()).isEmpty();
            Files.delete(tree.resolve(PATH));
        }
    }

    @Test
    void aLinkInTheMiddleOfThePathIsNotFollowed() throws IOException {
        Files.delete(tree.resolve("etc"));
        Files.createSymbolicLink(tree.resolve("etc"), folder.resolve("etc"));

        assertThat(read()).isEmpty();
    }

    @Test
    void foldersPipesAndDevicesAreNotOpened() throws Exception {
        Files.createDirectory(tree.resolve(PATH));
        assertThat(read()).isEmpty();
        Files.delete(tree.resolve(PATH));
        make("mkfifo", tree.resolve(PATH).toString());
        assertThat(read()).isEmpty();
        Files.delete(tree.resolve(PATH));
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can make devices.");
        make("mknod", tree.resolve(PATH).toString(), "c", "1", "5");
        assertThat(read()).isEmpty();
    }

    @Test
    void aHugeFileIsReadOnlyFarEnoughToTell() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(tree.resolve(PATH).toFile(), "rw")) {
            file.setLength(1L << 40);
        }

        assertThat(TreeReader.read(tree, PATH, BYTES_MAX)).hasSize(BYTES_MAX + 1);
    }

    private String read() throws IOException {
        return new String(TreeReader.read(tree, PATH, BYTES_MAX), StandardCharsets.UTF_8);
    }

    private static void make(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }
}
