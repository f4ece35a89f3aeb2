package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A separate, prepared keyspace on the shared server, and the store on it, for the tests of one class. */
public final class TestStore implements BeforeAllCallback, AfterAllCallback {
    private static final String INSTALLATION = "01k0testtesttesttesttestte";
    /** The driver's own 2 s do not suffice for a keyspace on a busy machine. */
    private static final Duration STATEMENT_MAX = Duration.ofSeconds(60);

    private static final AtomicInteger KEYSPACES = new AtomicInteger();

    private CassandraSettings settings;
    private CassandraStore store;

    private final Supplier<CassandraServer> server;

    /** On the server that all tests share. */
    public TestStore() {
        this(TestCassandra::server);
    }

    /** On a server of the test's own. */
    TestStore(Supplier<CassandraServer> server) {
        this.server = server;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        settings = newSettings(server.get());
        CassandraStore.prepare(settings, INSTALLATION);
        store = CassandraStore.open(settings);
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        store.close();
        Files.delete(settings.masterKey());
        Files.delete(settings.masterKey().getParent());
    }

    /** Settings for an unused keyspace, with a path for a master key. */
    public static CassandraSettings newSettings() throws IOException {
        return newSettings(TestCassandra.server());
    }

    private static CassandraSettings newSettings(CassandraServer server) throws IOException {
        Path folder = Files.createTempDirectory(Path.of("/tmp"), "vivarium-test-keys-");
        return new CassandraSettings(
                List.of(server.address().getHostString() + ":"
                        + server.address().getPort()),
                server.datacenter(),
                "vivarium_" + KEYSPACES.incrementAndGet(),
                Optional.empty(),
                new CassandraSettings.Replication(CassandraSettings.Replication.Strategy.SimpleStrategy, 1),
                folder.resolve("master.key"),
                Duration.ZERO,
                ConfigFactory.empty());
    }

    /** A new session without a keyspace. */
    public static CqlSession session() {
        return session(TestCassandra.server());
    }

    /** A new session with that server, without a keyspace. */
    public static CqlSession session(CassandraServer server) {
        return CqlSession.builder()
                .addContactPoint(server.address())
                .withLocalDatacenter(server.datacenter())
                .withConfigLoader(DriverConfigLoader.programmaticBuilder()
                        .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, STATEMENT_MAX)
                        .build())
                .build();
    }

    public CassandraSettings settings() {
        return settings;
    }

    public CassandraStore store() {
        return store;
    }
}
