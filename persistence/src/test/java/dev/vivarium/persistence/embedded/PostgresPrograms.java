package dev.vivarium.persistence.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** PostgreSQL's programs, unpacked once for all tests of this JVM, since unpacking takes some seconds. */
public final class PostgresPrograms {
    private PostgresPrograms() {}

    /** Links the programs into a data directory that no store is using. Returns the link, which may be deleted. */
    public static Path linkInto(Path data) throws IOException {
        Path postgres = data.resolve("postgres");
        if (!Files.isDirectory(postgres)) {
            Files.createDirectory(postgres);
        }
        return Files.createSymbolicLink(postgres.resolve(Unpacked.HOME.getFileName()), Unpacked.HOME);
    }

    private static final class Unpacked {
        private static final Path HOME = unpack();

        private static Path unpack() {
            try {
                Path folder = Files.createTempDirectory(Path.of("/tmp"), "vivarium-test-programs-");
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
                Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(folder)));
                return ServerBinaries.unpackedBelow(folder);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }

        private static void remove(Path folder) {
            try {
                Trees.delete(folder);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }
    }
}
