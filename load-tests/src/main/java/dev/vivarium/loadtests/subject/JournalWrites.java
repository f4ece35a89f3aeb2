package dev.vivarium.loadtests.subject;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A journal's writes for an event and nothing else, on the same Cassandra in a separate keyspace: a row of an event's
 * size, and the lightweight transaction that commits it. An upper bound for what a cluster can acknowledge.
 */
public final class JournalWrites implements AutoCloseable {
    private static final String KEYSPACE = "vivarium_bench";
    private static final Duration STATEMENT_MAX = Duration.ofSeconds(20);

    private final CqlSession session;
    private final PreparedStatement entry;
    private final PreparedStatement head;
    private final PreparedStatement commit;
    private final ByteBuffer event;
    private final AtomicLong journals = new AtomicLong();

    private JournalWrites(CqlSession session, int eventBytes) {
        this.session = session;
        this.event = ByteBuffer.wrap(new byte[eventBytes]);
        session.execute("CREATE KEYSPACE IF NOT EXISTS " + KEYSPACE
                + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        session.execute("CREATE TABLE IF NOT EXISTS " + KEYSPACE
                + ".entry (journal text, seq bigint, event blob, PRIMARY KEY (journal, seq))");
        session.execute("CREATE TABLE IF NOT EXISTS " + KEYSPACE
                + ".head (journal text, head bigint STATIC, seq bigint, writer text, PRIMARY KEY (journal, seq))");
        this.entry = session.prepare("INSERT INTO " + KEYSPACE + ".entry (journal, seq, event) VALUES (?, ?, ?)");
        this.head = session.prepare("UPDATE " + KEYSPACE + ".head SET head = ? WHERE journal = ? IF head = ?");
        this.commit = session.prepare("INSERT INTO " + KEYSPACE + ".head (journal, seq, writer) VALUES (?, ?, ?)");
    }

    /**
     * Connects to a Cassandra.
     *
     * @param eventBytes the size of an event
     */
    public static JournalWrites on(InetSocketAddress address, String datacenter, int eventBytes) throws IOException {
        DriverConfigLoader config = DriverConfigLoader.programmaticBuilder()
                .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, STATEMENT_MAX)
                .withString(DefaultDriverOption.REQUEST_CONSISTENCY, DefaultConsistencyLevel.LOCAL_QUORUM.name())
                .build();
        try {
            return new JournalWrites(
                    CqlSession.builder()
                            .withConfigLoader(config)
                            .addContactPoint(address)
                            .withLocalDatacenter(datacenter)
                            .build(),
                    eventBytes);
        } catch (DriverException refused) {
            throw new IOException("The trial's Cassandra at " + address + " cannot be used: " + refused, refused);
        }
    }

    /** Writes one journal of this many events, each durable before the next. */
    public void journalOf(int events) throws IOException {
        String journal = "bench|" + journals.incrementAndGet() + "|" + UUID.randomUUID();
        try {
            for (long seq = 1; seq <= events; seq++) {
                session.execute(entry.bind(journal, seq, event.duplicate()));
                BatchStatement both = BatchStatement.newInstance(
                        DefaultBatchType.UNLOGGED, moved(journal, seq), commit.bind(journal, seq, "bench"));
                if (!session.execute(both).wasApplied()) {
                    throw new IOException("Another process writes to " + journal + ".");
                }
            }
        } catch (DriverException failed) {
            throw new IOException("The trial's Cassandra does not write: " + failed, failed);
        }
    }

    /** A journal's head is null before its first event. */
    private BoundStatement moved(String journal, long seq) {
        BoundStatement moved = head.bind().setLong(0, seq).setString(1, journal);
        return seq == 1 ? moved.setToNull(2) : moved.setLong(2, seq - 1);
    }

    @Override
    public void close() {
        session.close();
    }
}
