package dev.vivarium.node.driver.oci;

import static dev.vivarium.node.driver.oci.ImageFolder.DIGITS;
import static dev.vivarium.node.driver.oci.ImageFolder.IMAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.program.PrivateFolder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class ImageTreesTest {
    @RegisterExtension
    final ImageFolder folder = new ImageFolder();

    // ---- a tree is what was unpacked

    @Test
    void anImageIsUnpackedOnceForAllNodes() {
        Path tree = folder.trees().tree(IMAGE);

        assertThat(folder.trees().tree(IMAGE)).isEqualTo(tree);
        assertThat(tree.resolve("bin/agent")).hasSize(1_000);
        assertThat(folder.unpacked()).isEqualTo(1);
    }

    @Test
    void aTreeThatIsGoneIsUnpackedAgainAtTheNextUse() throws IOException {
        ImageTrees trees = folder.trees();
        PrivateFolder.removeTree(trees.tree(IMAGE));

        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
        PrivateFolder.removeTree(folder.images());
        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
        assertThat(folder.unpacked()).isEqualTo(3);
    }

    @Test
    void aFileInPlaceOfAnImageIsPutAside() throws IOException {
        PrivateFolder.make(folder.images());
        Files.writeString(folder.images().resolve(DIGITS), "no image");

        assertThat(folder.trees().tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void aNodesStartNoticesAFileThatWasRemoved() throws IOException {
        Files.delete(folder.trees().tree(IMAGE).resolve("bin/agent"));

        assertThat(folder.trees().tree(IMAGE).resolve("bin/agent")).exists();
        assertThat(folder.unpacked()).isEqualTo(2);
    }

    @Test
    void aNodesStartNoticesAFileThatWasChangedWithTheSameSizeAndTime() throws IOException {
        Path file = folder.trees().tree(IMAGE).resolve("bin/agent");
        var time = Files.getLastModifiedTime(file);
        Files.write(file, new byte[1_000]);
        Files.setLastModifiedTime(file, time);

        assertThat(folder.trees().tree(IMAGE).resolve("bin/agent")).content().startsWith("x");
        assertThat(folder.unpacked()).isEqualTo(2);
    }

    @Test
    void aNodesStartNoticesAnOwnerThatWasChanged() throws IOException {
        Files.setAttribute(folder.trees().tree(IMAGE).resolve("bin"), "unix:uid", 1000);

        assertThat(Files.getAttribute(folder.trees().tree(IMAGE).resolve("bin"), "unix:uid"))
                .isEqualTo(0);
        assertThat(folder.unpacked()).isEqualTo(2);
    }

    @Test
    void aTreeIsVerifiedAgainAfterAFailedStart() throws IOException {
        ImageTrees trees = folder.trees();
        Files.delete(trees.tree(IMAGE).resolve("bin/agent"));

        trees.distrust(IMAGE);

        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void aFolderThatWasOpenedToOthersIsRefusedAtTheNextUse() throws IOException {
        ImageTrees trees = folder.trees();
        trees.tree(IMAGE);
        for (Path each : new Path[] {folder.content(), folder.images()}) {
            Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));

            assertRefused(trees, each + " must belong to root and be closed to others");

            Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwx------"));
        }
        assertThat(trees.tree(IMAGE)).exists();
    }

    @Test
    void aFolderThatOthersCanReplaceIsRefused(@TempDir Path others) throws IOException {
        Path mine = others.resolve("vivarium");
        PrivateFolder.make(mine);
        PrivateFolder.requireNotReplaceable(mine);

        Files.setAttribute(others, "unix:uid", 1000);

        assertThatThrownBy(() -> PrivateFolder.requireNotReplaceable(mine))
                .hasMessageContaining(" is below " + others + ", which must belong to root");
        Files.setAttribute(others, "unix:uid", 0);
        Files.setPosixFilePermissions(others, PosixFilePermissions.fromString("rwxrwx---"));
        assertThatThrownBy(() -> PrivateFolder.requireNotReplaceable(mine)).hasMessageContaining(" is below " + others);
    }

    @Test
    void aLinkInPlaceOfAFolderIsRefused(@TempDir Path above) throws IOException {
        Path link = Files.createSymbolicLink(above.resolve("link"), folder.content());

        assertThatThrownBy(() -> PrivateFolder.make(link))
                .hasMessage(link + " is a symbolic link: name the folder itself.");
    }

    @Test
    void twoNodesThatUnpackAnImageAtTheSameTimeHaveOneTree() throws IOException {
        ImageTrees first = folder.trees();
        ImageTrees second = folder.trees((id, limit, reader) -> {
            first.tree(IMAGE);
            try {
                reader.read(new ByteArrayInputStream(folder.archive()));
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
        });

        assertThat(second.tree(IMAGE)).isEqualTo(first.tree(IMAGE));
        assertThat(folder.images().toFile().list()).containsExactly(DIGITS);
        assertThat(folder.unpacked()).isEqualTo(1);
    }

    // ---- unpacking that fails

    @Test
    void aFullDiskIsRefusedAndNothingStays() {
        folder.mount("size=256k");
        folder.contentBytes = 1_000_000;
        ImageTrees trees = folder.trees();

        assertRefused(trees, "No space left on device");
        assertThat(folder.images()).isEmptyDirectory();

        folder.contentBytes = 1_000;
        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void aDiskWithoutRoomForMoreFilesIsRefusedAndNothingStays() {
        folder.mount("nr_inodes=6");

        assertRefused(folder.trees(), "No space left on device");
        assertThat(folder.images()).isEmptyDirectory();
    }

    @Test
    void onAReadOnlyDiskImagesThatAreThereCanBeUsed() {
        folder.mount("size=256k");
        folder.trees().tree(IMAGE);
        folder.remountReadOnly();

        ImageTrees trees = folder.trees();

        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
        assertThatThrownBy(() -> trees.tree("sha256:" + "f".repeat(64)))
                .hasMessageContaining("could not be unpacked into " + folder.images())
                .hasMessageContaining("Read-only file system")
                .hasMessageContaining("(vivarium.driver.oci.folder)");
    }

    @Test
    void whatAnEngineDeliveredBeforeItBrokeIsRemoved() {
        ImageTrees broken = folder.trees((id, limit, reader) -> {
            try {
                reader.read(new ByteArrayInputStream(folder.archive(), 0, 1_024));
            } catch (IOException cut) {
                throw new DriverException(Kind.ENGINE_UNAVAILABLE, "The engine broke.", cut);
            }
        });

        assertThatThrownBy(() -> broken.tree(IMAGE)).hasMessage("The engine broke.");
        assertThat(folder.images()).isEmptyDirectory();
    }

    private static void assertRefused(ImageTrees trees, String why) {
        assertThatThrownBy(() -> trees.tree(IMAGE))
                .isInstanceOfSatisfying(DriverException.class, refused -> assertThat(refused.kind())
                        .isEqualTo(Kind.REFUSED))
                .hasMessageContaining("could not be unpacked into")
                .hasMessageContaining(why);
    }
}
