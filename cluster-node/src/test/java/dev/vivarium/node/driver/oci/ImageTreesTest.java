package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageTreesTest {
    private static final String DIGITS = "0123456789abcdef".repeat(4);
    private static final String IMAGE = "sha256:" + DIGITS;
    private static final Duration KEEP = Duration.ofHours(24);

    @TempDir
    private Path temporary;

    private final Later clock = new Later();
    private Path content;
    private Path images;
    private int unpacked;
    private int contentBytes = 1_000;
    private Optional<Path> mounted = Optional.empty();

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

    @BeforeEach
    void begin() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "The folder must be root's.");
        content = temporary.resolve("content");
        PrivateFolder.make(content);
        images = content.resolve("images");
    }

    @AfterEach
    void unmount() {
        mounted.ifPresent(folder -> command("umount", folder.toString()));
    }

    // ---- a tree is what was unpacked

    @Test
    void anImageIsUnpackedOnceForAllNodes() {
        Path tree = trees().tree(IMAGE);

        assertThat(trees().tree(IMAGE)).isEqualTo(tree);
        assertThat(tree.resolve("bin/agent")).hasSize(1_000);
        assertThat(unpacked).isEqualTo(1);
    }

    @Test
    void aTreeThatIsGoneIsUnpackedAgainAtTheNextUse() throws IOException {
        ImageTrees trees = trees();
        PrivateFolder.removeTree(trees.tree(IMAGE));

        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
        PrivateFolder.removeTree(images);
        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
        assertThat(unpacked).isEqualTo(3);
    }

    @Test
    void aFileInPlaceOfAnImageIsPutAside() throws IOException {
        PrivateFolder.make(images);
        Files.writeString(images.resolve(DIGITS), "no image");

        assertThat(trees().tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void aNodesStartNoticesAFileThatWasRemoved() throws IOException {
        Files.delete(trees().tree(IMAGE).resolve("bin/agent"));

        assertThat(trees().tree(IMAGE).resolve("bin/agent")).exists();
        assertThat(unpacked).isEqualTo(2);
    }

    @Test
    void aNodesStartNoticesAFileThatWasChangedWithTheSameSizeAndTime() throws IOException {
        Path file = trees().tree(IMAGE).resolve("bin/agent");
        var time = Files.getLastModifiedTime(file);
        Files.write(file, new byte[1_000]);
        Files.setLastModifiedTime(file, time);

        assertThat(trees().tree(IMAGE).resolve("bin/agent")).content().startsWith("x");
        assertThat(unpacked).isEqualTo(2);
    }

    @Test
    void aNodesStartNoticesAnOwnerThatWasChanged() throws IOException {
        Files.setAttribute(trees().tree(IMAGE).resolve("bin"), "unix:uid", 1000);

        assertThat(Files.getAttribute(trees().tree(IMAGE).resolve("bin"), "unix:uid"))
                .isEqualTo(0);
        assertThat(unpacked).isEqualTo(2);
    }

    @Test
    void aTreeIsVerifiedAgainAfterAFailedStart() throws IOException {
        ImageTrees trees = trees();
        Files.delete(trees.tree(IMAGE).resolve("bin/agent"));

        trees.distrust(IMAGE);

        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void aFolderThatWasOpenedToOthersIsRefusedAtTheNextUse() throws IOException {
        ImageTrees trees = trees();
        trees.tree(IMAGE);
        for (Path folder : new Path[] {content, images}) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));

            assertRefused(trees, folder + " must belong to root and be closed to others");

            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        }
        assertThat(trees.tree(IMAGE)).exists();
    }

    @Test
    void aFolderThatOthersCanReplaceIsRefused() throws IOException {
        Path others = Files.createDirectory(temporary.resolve("others"));
        Path folder = others.resolve("vivarium");
        PrivateFolder.make(folder);
        PrivateFolder.requireNotReplaceable(folder);

        Files.setAttribute(others, "unix:uid", 1000);

        assertThatThrownBy(() -> PrivateFolder.requireNotReplaceable(folder))
                .hasMessageContaining(" is below " + others + ", which must belong to root");
        Files.setAttribute(others, "unix:uid", 0);
        Files.setPosixFilePermissions(others, PosixFilePermissions.fromString("rwxrwx---"));
        assertThatThrownBy(() -> PrivateFolder.requireNotReplaceable(folder))
                .hasMessageContaining(" is below " + others);
        Path link = Files.createSymbolicLink(temporary.resolve("link"), folder);
        assertThatThrownBy(() -> PrivateFolder.make(link))
                .hasMessage(link + " is a symbolic link: name the folder itself.");
    }

    // ---- unpacking that fails

    @Test
    void aFullDiskIsRefusedAndNothingStays() {
        mountContent("size=256k");
        contentBytes = 1_000_000;
        ImageTrees trees = trees();

        assertRefused(trees, "No space left on device");
        assertThat(images).isEmptyDirectory();

        contentBytes = 1_000;
        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void aDiskWithoutRoomForMoreFilesIsRefusedAndNothingStays() {
        mountContent("nr_inodes=6");

        assertRefused(trees(), "No space left on device");
        assertThat(images).isEmptyDirectory();
    }

    @Test
    void onAReadOnlyDiskImagesThatAreThereCanBeUsed() {
        mountContent("size=256k");
        trees().tree(IMAGE);
        command("mount", "-o", "remount,ro", content.toString());

        ImageTrees trees = trees();

        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
        assertThatThrownBy(() -> trees.tree("sha256:" + "f".repeat(64)))
                .hasMessageContaining("could not be unpacked into " + images)
                .hasMessageContaining("Read-only file system")
                .hasMessageContaining("(vivarium.driver.oci.folder)");
    }

    @Test
    void whatAnEngineDeliveredBeforeItBrokeIsRemoved() {
        ImageTrees broken = new ImageTrees(
                images,
                (id, limit, reader) -> {
                    try {
                        reader.read(new ByteArrayInputStream(archive(), 0, 1_024));
                    } catch (IOException cut) {
                        throw new DriverException(Kind.ENGINE_UNAVAILABLE, "The engine broke.", cut);
                    }
                },
                Duration.ofMinutes(1),
                limits(),
                clock);

        assertThatThrownBy(() -> broken.tree(IMAGE)).hasMessage("The engine broke.");
        assertThat(images).isEmptyDirectory();
    }

    // ---- sweeping

    @Test
    void aPartialTreeGoesWhenItsNodeIsDeadAndNotBefore() throws Exception {
        trees().tree(IMAGE);
        Path partial = Files.createDirectory(images.resolve("new-partial"));
        Files.createDirectory(partial.resolve("tree"));
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Unpacking.class.getName(),
                        partial.resolve(ImageTrees.USED).toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(other.inputReader().readLine()).isEqualTo("locked");
        ImageTrees trees = trees();

        trees.sweep(KEEP, Set::of);
        assertThat(partial).exists();

        other.destroyForcibly().waitFor();
        trees.sweep(KEEP, Set::of);
        assertThat(partial).doesNotExist();
        assertThat(images.resolve(DIGITS)).exists();
    }

    /** A node that is killed while it unpacks an image. */
    static final class Unpacking {
        private Unpacking() {}

        public static void main(String[] arguments) throws IOException {
            try (FileChannel file =
                    FileChannel.open(Path.of(arguments[0]), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                file.lock();
                System.out.println("locked");
                int unused = System.in.read();
            }
        }
    }

    @Test
    void aTreeThatIsBeingUnpackedStays() {
        ImageTrees other = trees();
        ImageTrees slow = new ImageTrees(
                images,
                (id, limit, reader) -> {
                    try {
                        clock.ahead = Duration.ofMinutes(1);
                        other.sweep(KEEP, Set::of);
                        reader.read(new ByteArrayInputStream(archive()));
                    } catch (IOException broken) {
                        throw new UncheckedIOException(broken);
                    }
                },
                Duration.ofMinutes(1),
                limits(),
                clock);

        assertThat(slow.tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void anUnusedImageGoesAfterAWhileAndIsUnpackedAgainWhenItIsWanted() throws IOException {
        ImageTrees trees = trees();
        trees.tree(IMAGE);

        clock.ahead = KEEP.minusMinutes(1);
        trees.sweep(KEEP, Set::of);
        assertThat(images.resolve(DIGITS)).exists();

        clock.ahead = KEEP.plusMinutes(1);
        trees.sweep(KEEP, Set::of);
        assertThat(images).isEmptyDirectory();
        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
    }

    /** They may have different state folders, or be in different mount namespaces. */
    @Test
    void aNodeTakesNoImageThatAnotherNodeUses() throws IOException {
        ImageTrees mine = trees();
        mine.tree(IMAGE);
        ImageTrees others = trees();

        clock.ahead = KEEP.minusMinutes(1);
        mine.sweep(KEEP, () -> Set.of(DIGITS));
        clock.ahead = KEEP.plusMinutes(1);
        others.sweep(KEEP, Set::of);
        assertThat(images.resolve(DIGITS).resolve("tree/bin/agent")).exists();

        clock.ahead = KEEP.multipliedBy(2);
        others.sweep(KEEP, Set::of);
        assertThat(images).isEmptyDirectory();
    }

    @Test
    void aDamagedTreeStaysAsLongAsSandboxesMayUseIt() throws IOException {
        Path damaged = trees().tree(IMAGE);
        Files.delete(damaged.resolve("bin/agent"));
        ImageTrees trees = trees();
        trees.tree(IMAGE);
        Path aside = aside();

        clock.ahead = KEEP.multipliedBy(3);
        trees.sweep(KEEP, () -> Set.of(DIGITS));
        assertThat(aside).exists();

        clock.ahead = KEEP.multipliedBy(5);
        trees.sweep(KEEP, Set::of);
        assertThat(images).isEmptyDirectory();
    }

    private Path aside() throws IOException {
        try (var all = Files.list(images)) {
            return all.filter(image -> !image.endsWith(DIGITS)).findFirst().orElseThrow();
        }
    }

    // ---- vocabulary of the tests

    private ImageTrees trees() {
        return new ImageTrees(
                images,
                (id, limit, reader) -> {
                    unpacked++;
                    try {
                        reader.read(new ByteArrayInputStream(archive()));
                    } catch (IOException broken) {
                        throw new UncheckedIOException(broken);
                    }
                },
                Duration.ofMinutes(1),
                limits(),
                clock);
    }

    private static DiskBudget.Limits limits() {
        return new DiskBudget.Limits(1 << 30, 1_000, 0);
    }

    private byte[] archive() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream archive = new TarArchiveOutputStream(bytes)) {
            archive.putArchiveEntry(new TarArchiveEntry("bin/"));
            archive.closeArchiveEntry();
            TarArchiveEntry agent = new TarArchiveEntry("bin/agent");
            agent.setSize(contentBytes);
            archive.putArchiveEntry(agent);
            archive.write("x".repeat(contentBytes).getBytes());
            archive.closeArchiveEntry();
        }
        return bytes.toByteArray();
    }

    private static void assertRefused(ImageTrees trees, String why) {
        assertThatThrownBy(() -> trees.tree(IMAGE))
                .isInstanceOfSatisfying(DriverException.class, refused -> assertThat(refused.kind())
                        .isEqualTo(Kind.REFUSED))
                .hasMessageContaining("could not be unpacked into")
                .hasMessageContaining(why);
    }

    private void mountContent(String options) {
        command("mount", "-t", "tmpfs", "-o", "mode=0700," + options, "vivarium-test", content.toString());
        mounted = Optional.of(content);
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
