package dev.vivarium.node.whole;

import dev.vivarium.persistence.embedded.EmbeddedStore;
import dev.vivarium.persistence.embedded.PostgresPrograms;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A node's data in a temporary folder: registered in an instance field it is new for each test, in a static field for each
 * class.
 */
final class DataDirectory implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
    private Optional<Path> path = Optional.empty();
    private Path programs;
    private boolean ofTheClass;

    /** A directory that is created when its test, or its class, begins. */
    DataDirectory() {}

    /** A directory on a mounted file system; the caller deletes its files. */
    static DataDirectory on(Path mounted) throws IOException {
        DataDirectory data = new DataDirectory();
        data.path = Optional.of(mounted);
        data.programs = PostgresPrograms.linkInto(mounted);
        return data;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        ofTheClass = true;
        create();
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        if (!ofTheClass) {
            create();
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (!ofTheClass) {
            delete(path());
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        delete(path());
    }

    private void create() throws IOException {
        path = Optional.of(newFolder("vivarium-whole-"));
        programs = PostgresPrograms.linkInto(path());
    }

    Path path() {
        return path.orElseThrow();
    }

    /** Keeps the store from starting (again) until its programs are brought back. */
    void takeProgramsAway() throws IOException {
        Files.delete(programs);
    }

    void bringProgramsBack() throws IOException {
        programs = PostgresPrograms.linkInto(path());
    }

    /** A folder that the store's user may enter, too. */
    static Path newFolder(String prefix) throws IOException {
        Path folder = Files.createTempDirectory(Path.of("/tmp"), prefix);
        return Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    /** The name of its installation. */
    String installation() throws IOException {
        return Files.readString(path().resolve("installation")).strip();
    }

    /** Verdicts on the hash chains of the runs. No node may be using the directory. */
    Map<String, ChainCheck.Verdict> chains(List<String> runs) {
        try (EmbeddedStore store = EmbeddedStore.open(path())) {
            return runs.stream().collect(Collectors.toMap(Function.identity(), run -> store.journal()
                    .check(new RunId(run))
                    .toCompletableFuture()
                    .join()));
        }
    }

    /** By the rm command: a store whose node was killed may delete its files at the same time. */
    static void delete(Path folder) {
        try {
            Commands.run("rm", "-rf", folder.toString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
