package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.postgres.PostgresAddress;
import dev.vivarium.persistence.postgres.PostgresStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A real server and the store on it, for the tests of one class. */
public final class TestPostgres implements BeforeAllCallback, AfterAllCallback {
    private static final String INSTALLATION = "01k0testtesttesttesttestte";

    private Path directory;
    private EmbeddedPostgres server;
    private PostgresStore store;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        directory = newDirectory();
        server = EmbeddedPostgres.start(directory.resolve("postgres"), Clock.systemUTC());
        store = PostgresStore.openOwn(server.address(), directory, INSTALLATION);
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        store.close();
        server.close();
        Trees.delete(directory);
    }

    /** A directory that every user may enter. */
    public static Path newDirectory() throws IOException {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "vivarium-test-");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        PostgresPrograms.linkInto(directory);
        return directory;
    }

    public static void delete(Path directory) throws IOException {
        Trees.delete(directory);
    }

    public PostgresStore store() {
        return store;
    }

    public PostgresAddress address() {
        return server.address();
    }

    public Path directory() {
        return directory;
    }

    /** Kills the server, which its keeper restarts. */
    public void killServer() {
        ProcessHandle killed = server.process();
        killed.destroyForcibly();
        killed.onExit().join();
    }

    /** A new connection. */
    public Connection connect() throws SQLException {
        return DriverManager.getConnection(
                address().url(), address().user(), address().password());
    }
}
