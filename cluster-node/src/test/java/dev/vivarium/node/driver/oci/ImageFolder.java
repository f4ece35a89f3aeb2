package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.program.PrivateFolder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A folder of unpacked images for one test, and an image of one file to unpack there. */
final class ImageFolder implements BeforeEachCallback, AfterEachCallback {
    static final String DIGITS = "0123456789abcdef".repeat(4);
    static final String IMAGE = "sha256:" + DIGITS;

    private final Later clock = new Later();
    private Path content;
    private Optional<Path> mounted = Optional.empty();
    private int unpacked;

    /** The size of the image's file. */
    int contentBytes = 1_000;

    /** The machine's clock, ahead by what a test decides. */
    private static final class Later implements NodeClock {
        private Duration ahead = Duration.ZERO;

        @Override
        public Instant now() {
            return Instant.now().plus(ahead);
        }

        @Override
        public long nanos() {
            return System.nanoTime();
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "The folder must be root's.");
        content = Files.createTempDirectory("vivarium-images").resolve("content");
        PrivateFolder.make(content);
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        mounted.ifPresent(folder -> command("umount", folder.toString()));
        PrivateFolder.removeTree(content.getParent());
    }

    Path content() {
        return content;
    }

    Path images() {
        return content.resolve("images");
    }

    /** How often the image was unpacked. */
    int unpacked() {
        return unpacked;
    }

    void ahead(Duration time) {
        clock.ahead = time;
    }

    /** The trees of a node that starts now. */
    ImageTrees trees() {
        return trees((id, limit, reader) -> {
            unpacked++;
            try {
                reader.read(new ByteArrayInputStream(archive()));
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
        });
    }

    ImageTrees trees(ImageTrees.Source source) {
        return new ImageTrees(content, source, Duration.ofMinutes(1), new DiskBudget.Limits(1 << 30, 1_000, 0), clock);
    }

    byte[] archive() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream archive = new TarArchiveOutputStream(bytes)) {
            archive.putArchiveEntry(new TarArchiveEntry("bin/"));
            archive.closeArchiveEntry();
            TarArchiveEntry agent = new TarArchiveEntry("bin/agent");
            agent.setSize(contentBytes);
            archive.putArchiveEntry(agent);
            archive.write("x".repeat(contentBytes).getBytes(StandardCharsets.UTF_8));
            archive.closeArchiveEntry();
        }
        return bytes.toByteArray();
    }

    /** Has the folder on a file system in memory of its own. */
    void mount(String options) {
        command("mount", "-t", "tmpfs", "-o", "mode=0700," + options, "vivarium-test", content.toString());
        mounted = Optional.of(content);
    }

    void remountReadOnly() {
        command("mount", "-o", "remount,ro", content.toString());
    }

    private static void command(String... words) {
        try {
            Process process = new ProcessBuilder(words).inheritIO().start();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(String.join(" ", words)).isZero();
        } catch (IOException | InterruptedException failed) {
            throw new AssertionError(failed);
        }
    }
}
