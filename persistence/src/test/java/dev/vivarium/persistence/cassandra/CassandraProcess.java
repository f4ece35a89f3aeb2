package dev.vivarium.persistence.cassandra;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Method;

/** The main class of a server's process: Cassandra's own, which ends when whoever started it has ended. */
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
            // Nobody writes; only the end matters.
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException broken) {
            // Also an end.
        }
        Runtime.getRuntime().halt(ORPHANED);
    }
}
