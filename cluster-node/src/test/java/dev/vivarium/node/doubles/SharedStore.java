package dev.vivarium.node.doubles;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.assembly.ConfiguredStorePreparer;
import dev.vivarium.persistence.embedded.EmbeddedStore;
import dev.vivarium.persistence.embedded.PostgresPrograms;
import dev.vivarium.persistence.postgres.PostgresAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A PostgreSQL server that several nodes share, with a database prepared as an operator does. */
public final class SharedStore implements AutoCloseable {
    private final Path folder;
    private final EmbeddedStore server;
    private final Map<String, String> settings = new HashMap<>();
    private final String url;
    private final String user;
    private final String password;

    public SharedStore() throws IOException, SQLException, NodeStartException {
        this.folder = Files.createTempDirectory(Path.of("/tmp"), "vivarium-shared-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path data = Files.createDirectory(folder.resolve("server"));
        PostgresPrograms.linkInto(data);
        this.server = EmbeddedStore.open(data);
        PostgresAddress address = server.address();
        this.user = address.user();
        this.password = address.password();
        String own = address.url();
        try (Connection connection = DriverManager.getConnection(own, user, password);
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE cluster");
        }
        this.url = own.replaceAll("/postgres$", "/cluster");
        settings.put("vivarium.store.kind", "postgres");
        settings.put("vivarium.store.postgres.url", url);
        settings.put("vivarium.store.postgres.user", user);
        settings.put("vivarium.store.postgres.password-file", file("password", password));
        settings.put("vivarium.store.postgres.keys", folder.resolve("keys").toString());
        settings.put("vivarium.cluster.secret-file", file("secret", "a secret of the tests, long enough"));
        new ConfiguredStorePreparer().prepare(Optional.empty(), settings);
    }

    /** The settings of nodes that use it. */
    public Map<String, String> settings() {
        return Map.copyOf(settings);
    }

    /** The name of the installation of these nodes. */
    public String installation() throws SQLException {
        return text("SELECT id FROM installation");
    }

    /** The single value that a query returns. */
    public String text(String query) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, user, password);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** Executes a statement without the nodes' knowledge. */
    public void execute(String statement) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, user, password);
                var changing = connection.createStatement()) {
            changing.execute(statement);
        }
    }

    /** A file next to the store. */
    public String file(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content).toString();
    }

    @Override
    public void close() throws IOException {
        server.close();
        try (var files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
