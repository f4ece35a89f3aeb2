package dev.vivarium.persistence.cassandra;

import java.io.IOException;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A Cassandra server for the tests of one class, which may kill it and must start it again. */
public final class OwnCassandra implements BeforeAllCallback, AfterAllCallback {
    private CassandraServer server;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException, InterruptedException {
        server = CassandraServer.start();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        server.close();
    }

    /** The server, while the tests run. */
    public CassandraServer server() {
        return server;
    }
}
