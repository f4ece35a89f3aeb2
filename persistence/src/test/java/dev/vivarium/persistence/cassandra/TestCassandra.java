package dev.vivarium.persistence.cassandra;

import java.io.IOException;

/** The shared Cassandra server of a test run: started for the first test that uses it, ended with the tests' JVM. */
public final class TestCassandra {
    private TestCassandra() {}

    /** The running server. Not to be killed: its tables would be lost; {@link CassandraServer#start} has one for that. */
    public static CassandraServer server() {
        return Shared.SERVER;
    }

    private static final class Shared {
        private static final CassandraServer SERVER = start();

        private static CassandraServer start() {
            try {
                CassandraServer server = CassandraServer.startToLast();
                Runtime.getRuntime().addShutdownHook(new Thread(server::close, "cassandra-end"));
                return server;
            } catch (IOException failed) {
                throw new IllegalStateException(failed);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(interrupted);
            }
        }
    }
}
