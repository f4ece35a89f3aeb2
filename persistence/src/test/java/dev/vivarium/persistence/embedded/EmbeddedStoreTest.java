package dev.vivarium.persistence.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class EmbeddedStoreTest {
    private static final RunId RUN = Fixtures.run(1);
    private static final String ROOT = "root";

    private Path directory;

    @BeforeEach
    void newDirectory() throws IOException {
        directory = TestPostgres.newDirectory();
    }

    @AfterEach
    void clean() throws IOException {
        TestPostgres.delete(directory);
    }

    @Test
    void dataSurvivesACleanStopAndNoProcessIsLeft() throws IOException {
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            append(store, 0);
        }
        assertThat(Leftovers.in(directory.resolve("postgres/data"))).isEmpty();

        long start = System.nanoTime();
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            System.out.println("second start: "
                    + Duration.ofNanos(System.nanoTime() - start).toMillis() + " ms");
            assertThat(end(store)).isEqualTo(1);
        }
    }

    @Test
    void aSecondNodeOnTheSameDirectoryIsRefused() {
        try (EmbeddedStore first = EmbeddedStore.open(directory)) {
            assertThatThrownBy(() -> EmbeddedStore.open(directory))
                    .isInstanceOf(StoreUnavailable.class)
                    .hasMessageContaining("Another node is using the data directory");
            append(first, 0);
        }
        EmbeddedStore.open(directory).close();
    }

    @Test
    void aKilledServerIsRestarted() {
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            append(store, 0);
            for (int i = 1; i <= 3; i++) {
                ProcessHandle killed = store.serverProcess();
                killed.destroyForcibly();
                killed.onExit().join();

                long offset = i;
                await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> append(store, offset));
            }
            assertThat(end(store)).isEqualTo(4);
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> store.projectionLag().toMillis() < 300);
        }
    }

    @Test
    void aDirectoryThatTheServersUserMayNotEnterWorks() throws IOException {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo(ROOT);
        Path closed = Files.createDirectory(
                directory.resolve("closed"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));

        try (EmbeddedStore store = EmbeddedStore.open(closed.resolve("data"))) {
            append(store, 0);
        }
        try (EmbeddedStore store = EmbeddedStore.open(closed.resolve("data"))) {
            assertThat(end(store)).isEqualTo(1);
        }
        assertThat(Files.getPosixFilePermissions(closed)).hasSize(3);
    }

    @Test
    void theServerDoesNotRunAsRootAndItsPasswordIsPrivate() throws IOException {
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            assertThat(Files.getAttribute(
                            Path.of("/proc/" + store.serverProcess().pid()), "unix:uid"))
                    .isNotEqualTo(0);
            assertThat(Files.getPosixFilePermissions(directory.resolve("postgres/password")))
                    .isEqualTo(PosixFilePermissions.fromString("rw-------"));
            assertThat(Files.getPosixFilePermissions(directory.resolve("postgres/data")))
                    .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void onlyTheServersAccountCanConnectToItsSocket() throws IOException {
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            Path socket = directory.resolve("postgres/socket/.s.PGSQL.5432");
            assertThat(socket).exists();
            assertThat(Files.getPosixFilePermissions(socket.getParent()))
                    .isEqualTo(PosixFilePermissions.fromString("rwx------"));
            assertThat(owner(socket.getParent())).isEqualTo(owner(serverOf(store)));
        }
    }

    @Test
    void noOtherAccountOrProcessUsesTheServersUserId() throws IOException {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo(ROOT);
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            int user = owner(serverOf(store));

            assertThat(Files.readAllLines(Path.of("/etc/passwd")))
                    .noneMatch(line -> line.split(":", -1)[2].equals("" + user));
        }
    }

    @Test
    void dataOwnedByASharedAccountAreTransferredToTheServersOwn() throws IOException {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo(ROOT);
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            append(store, 0);
        }
        int nobody = 65_534;
        try (var files = Files.walk(directory.resolve("postgres/data"))) {
            for (Path file : files.toList()) {
                Files.setAttribute(file, "unix:uid", nobody);
            }
        }

        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            assertThat(end(store)).isEqualTo(1);
            assertThat(owner(serverOf(store))).isNotIn(0, nobody);
            assertThat(owner(directory.resolve("postgres/data/base"))).isEqualTo(owner(serverOf(store)));
        }
    }

    @Test
    void aPathThatIsTooLongForASocketWorks() throws IOException {
        Path deep = directory.resolve("d".repeat(60)).resolve("e".repeat(60));

        try (EmbeddedStore store = EmbeddedStore.open(deep)) {
            append(store, 0);
        }
        assertThat(deep.resolve("postgres/socket")).doesNotExist();
    }

    private static Path serverOf(EmbeddedStore store) {
        return Path.of("/proc/" + store.serverProcess().pid());
    }

    private static int owner(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:uid");
    }

    @Test
    void keysOfRunsThatWereNeverAcknowledgedAreDestroyedAtTheNextStart() {
        SealedSecrets sealed;
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            sealed = store.secrets()
                    .seal(RUN, Map.of("KEY", "hush"))
                    .toCompletableFuture()
                    .join();
            assertThat(directory.resolve("keys/" + RUN)).exists();
        }
        assertThat(sealed.names()).containsExactly("KEY");
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> assertThat(directory.resolve("keys/" + RUN))
                    .doesNotExist());
            assertThat(store.secrets().open(RUN, sealed).toCompletableFuture())
                    .failsWithin(Duration.ofSeconds(5))
                    .withThrowableThat()
                    .withCauseInstanceOf(SecretVault.KeyDestroyed.class);
        }
    }

    @Test
    void aDataDirectoryThatIsAFileIsRefusedWithASentence() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        assertThatThrownBy(() -> EmbeddedStore.open(file))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("cannot be created or written to");
    }

    private static void append(EmbeddedStore store, long offset) {
        store.output()
                .append(
                        RUN,
                        List.of(new OutputChunk(
                                1, ProcessId.COMMAND, Stream.STDOUT, offset, Fixtures.NOON, Blob.ofUtf8("x"))))
                .toCompletableFuture()
                .join();
    }

    private static long end(EmbeddedStore store) {
        return store.output().end(RUN).toCompletableFuture().join();
    }
}
