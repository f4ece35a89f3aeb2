package dev.vivarium.node.driver.oci;

import static dev.vivarium.node.driver.oci.ImageFolder.DIGITS;
import static dev.vivarium.node.driver.oci.ImageFolder.IMAGE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ImageSweepTest {
    private static final Duration KEEP = Duration.ofHours(24);

    @RegisterExtension
    final ImageFolder folder = new ImageFolder();

    @Test
    void aPartialTreeGoesWhenItsNodeIsDeadAndNotBefore() throws Exception {
        folder.trees().tree(IMAGE);
        Path partial = Files.createDirectory(folder.images().resolve("new-partial"));
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
        ImageTrees trees = folder.trees();

        trees.sweep(KEEP, Set::of);
        assertThat(partial).exists();

        other.destroyForcibly().waitFor();
        trees.sweep(KEEP, Set::of);
        assertThat(partial).doesNotExist();
        assertThat(folder.images().resolve(DIGITS)).exists();
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
        ImageTrees other = folder.trees();
        ImageTrees slow = folder.trees((id, limit, reader) -> {
            try {
                folder.ahead(Duration.ofMinutes(1));
                other.sweep(KEEP, Set::of);
                reader.read(new ByteArrayInputStream(folder.archive()));
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
        });

        assertThat(slow.tree(IMAGE).resolve("bin/agent")).exists();
    }

    @Test
    void anUnusedImageGoesAfterAWhileAndIsUnpackedAgainWhenItIsWanted() throws IOException {
        ImageTrees trees = folder.trees();
        trees.tree(IMAGE);

        folder.ahead(KEEP.minusMinutes(1));
        trees.sweep(KEEP, Set::of);
        assertThat(folder.images().resolve(DIGITS)).exists();

        folder.ahead(KEEP.plusMinutes(1));
        trees.sweep(KEEP, Set::of);
        assertThat(folder.images()).isEmptyDirectory();
        assertThat(trees.tree(IMAGE).resolve("bin/agent")).exists();
    }

    /** They may have different state folders, or be in different mount namespaces. */
    @Test
    void aNodeTakesNoImageThatAnotherNodeUses() throws IOException {
        ImageTrees mine = folder.trees();
        mine.tree(IMAGE);
        ImageTrees others = folder.trees();

        folder.ahead(KEEP.minusMinutes(1));
        mine.sweep(KEEP, () -> Set.of(DIGITS));
        folder.ahead(KEEP.plusMinutes(1));
        others.sweep(KEEP, Set::of);
        assertThat(folder.images().resolve(DIGITS).resolve("tree/bin/agent")).exists();

        folder.ahead(KEEP.multipliedBy(2));
        others.sweep(KEEP, Set::of);
        assertThat(folder.images()).isEmptyDirectory();
    }

    @Test
    void aDamagedTreeStaysAsLongAsSandboxesMayUseIt() throws IOException {
        Path damaged = folder.trees().tree(IMAGE);
        Files.delete(damaged.resolve("bin/agent"));
        ImageTrees trees = folder.trees();
        trees.tree(IMAGE);
        Path aside = aside();

        folder.ahead(KEEP.multipliedBy(3));
        trees.sweep(KEEP, () -> Set.of(DIGITS));
        assertThat(aside).exists();

        folder.ahead(KEEP.multipliedBy(5));
        trees.sweep(KEEP, Set::of);
        assertThat(folder.images()).isEmptyDirectory();
    }

    private Path aside() throws IOException {
        try (var all = Files.list(folder.images())) {
            return all.filter(image -> !image.endsWith(DIGITS)).findFirst().orElseThrow();
        }
    }
}
