package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * The program of a node as these tests start it: its classes, and an archive of them that a JVM maps instead of reading
 * and checking each class. Nodes start some eighty times in a build, and a start takes four seconds of processor time less with
 * it. It is made once a build, by a node that starts and stops; a JVM that finds that it does not fit ignores it.
 */
final class NodeProgram {
    static final String MAIN = "dev.vivarium.node.cli.Vivarium";

    private static final Path FOLDER = Path.of("target", "node-program").toAbsolutePath();
    private static final Path ARCHIVE = FOLDER.resolve("classes.jsa");

    private static List<String> options = List.of();

    private NodeProgram() {}

    /** The options of a JVM that is to run {@link #MAIN}. */
    static synchronized List<String> options() {
        try {
            if (options.isEmpty()) {
                options = prepared();
            }
            return options;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** The one of them that names the archive. */
    static String archive() {
        return options().get(0);
    }

    private static List<String> prepared() throws IOException {
        Files.createDirectories(FOLDER);
        // The build's other JVM waits meanwhile.
        try (FileChannel lock =
                        FileChannel.open(FOLDER.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var held = lock.lock()) {
            assertThat(held.isValid()).isTrue();
            List<String> jars = jars();
            if (!Files.exists(ARCHIVE)) {
                archive(String.join(File.pathSeparator, jars));
            }
            // What is in a folder is not archived, and comes last.
            jars.add(Path.of("target", "test-classes").toAbsolutePath().toString());
            return List.of("-XX:SharedArchiveFile=" + ARCHIVE, "-cp", String.join(File.pathSeparator, jars));
        }
    }

    /** An archive is of jars: the folders of classes become some, again when a class in them is newer. */
    private static List<String> jars() throws IOException {
        List<String> jars = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry).toAbsolutePath();
            // An empty entry is the folder of the module.
            if (entry.isEmpty() || path.endsWith("test-classes") || !Files.exists(path)) {
                continue;
            }
            jars.add((Files.isDirectory(path) ? jarOf(path) : path).toString());
        }
        return jars;
    }

    private static Path jarOf(Path classes) throws IOException {
        Path jar = FOLDER.resolve(classes.getParent().getParent().getFileName() + ".jar");
        List<Path> files;
        try (Stream<Path> all = Files.walk(classes)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        FileTime newest = FileTime.fromMillis(0);
        for (Path file : files) {
            FileTime changed = Files.getLastModifiedTime(file);
            newest = changed.compareTo(newest) > 0 ? changed : newest;
        }
        if (Files.exists(jar) && Files.getLastModifiedTime(jar).compareTo(newest) >= 0) {
            return jar;
        }
        Files.deleteIfExists(ARCHIVE);
        Path draft = FOLDER.resolve("draft.jar");
        try (OutputStream bytes = Files.newOutputStream(draft);
                ZipOutputStream entries = new ZipOutputStream(bytes)) {
            for (Path file : files) {
                entries.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                Files.copy(file, entries);
            }
        }
        return Files.move(draft, jar, StandardCopyOption.ATOMIC_MOVE);
    }

    /** By a node with a store of its own, which writes the archive when it has stopped. */
    private static void archive(String path) throws IOException {
        Path draft = FOLDER.resolve("draft.jsa");
        DataDirectory data = DataDirectory.on(DataDirectory.newFolder("vivarium-rehearsal-"));
        try (WholeNode node = WholeNode.on(data, List.of("-XX:ArchiveClassesAtExit=" + draft, "-cp", path))
                .go()) {
            assertThat(node.stop()).as(node::log).isZero();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        } finally {
            DataDirectory.delete(data.path());
        }
        Files.move(draft, ARCHIVE, StandardCopyOption.ATOMIC_MOVE);
    }
}
