package dev.vivarium.persistence.cassandra;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Method;

/** The main class of a server's process: starts Cassandra, and exits when its parent has ended. */
public final class CassandraProcess {
    private static final String DAEMON = "org.apache.cassandra.service.CassandraDaemon";
    private static final int ORPHANED = 3;

    private CassandraProcess() {}

    public static void main(String[] arguments) throws ReflectiveOperationException {
        Thread watch = new Thread(CassandraProcess::endWithTheParent, "parent-watch");
        watch.setDaemon(true);
        watch.start();
        Method main = Class.forName(DAEMON).getMethod("main", String[].class);
        main.invoke(null, (Object) arguments);
    }

    private static void endWithTheParent() {
        try {
            // Nothing is ever written; only the end of the stream matters.
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException broken) {
            // Same as the end of the stream.
        }
        Runtime.getRuntime().halt(ORPHANED);
    }
}
