package dev.vivarium.node.whole;

import dev.vivarium.persistence.embedded.EmbeddedStore;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a node keeps, in a folder of the test's own. PostgreSQL's programs are unpacked once for all of them, which saves
 * each test some seconds.
 */
record DataDirectory(Path path) {
    private static final String PROGRAMS = "bin-*";

    /** An empty one. */
    static DataDirectory create() throws IOException {
        Path path = newFolder("vivarium-whole-");
        linkPrograms(path);
        return new DataDirectory(path);
    }

    private static void linkPrograms(Path data) throws IOException {
        Files.createSymbolicLink(programs(Files.createDirectory(data.resolve("postgres"))), Programs.HOME);
    }

    private static Path programs(Path postgres) {
        return postgres.resolve(Programs.HOME.getFileName());
    }

    /** Keeps the store from starting (again) until its programs are brought back. */
    void takeProgramsAway() throws IOException {
        Files.delete(programs(path.resolve("postgres")));
    }

    void bringProgramsBack() throws IOException {
        Files.createSymbolicLink(programs(path.resolve("postgres")), Programs.HOME);
    }

    /** One on the file system that is mounted there. */
    static DataDirectory on(Path mounted) throws IOException {
        linkPrograms(mounted);
        return new DataDirectory(mounted);
    }

    /** A folder that the store's own user may enter, too. */
    static Path newFolder(String prefix) throws IOException {
        Path folder = Files.createTempDirectory(Path.of("/tmp"), prefix);
        return Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    private static final class Programs {
        private static final Path HOME = unpack();

        private static Path unpack() {
            try {
                Path folder = newFolder("vivarium-whole-programs-");
                Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
                EmbeddedStore.open(folder).close();
                try (var found = Files.newDirectoryStream(folder.resolve("postgres"), PROGRAMS)) {
                    return found.iterator().next();
                }
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }
    }

    /** The name of the installation that it belongs to. */
    String installation() throws IOException {
        return Files.readString(path.resolve("installation")).strip();
    }

    /** What the hash chains of the runs say. No node may be at work on it. */
    Map<String, ChainCheck.Verdict> chains(List<String> runs) {
        try (EmbeddedStore store = EmbeddedStore.open(path)) {
            return runs.stream().collect(Collectors.toMap(Function.identity(), run -> store.journal()
                    .check(new RunId(run))
                    .toCompletableFuture()
                    .join()));
        }
    }

    void delete() {
        delete(path);
    }

    static void delete(Path folder) {
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                /** A store whose node was killed takes its own files away while it ends. */
                @Override
                public FileVisitResult visitFileFailed(Path file, java.io.IOException failed) throws IOException {
                    if (failed instanceof java.nio.file.NoSuchFileException) {
                        return FileVisitResult.CONTINUE;
                    }
                    throw failed;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, java.io.IOException failed)
                        throws IOException {
                    Files.delete(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
