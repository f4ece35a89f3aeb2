package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.RememberingEntry;
import dev.vivarium.persistence.postgres.JournalWrite.JournalRow;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal's writing connection. It writes any number of {@link JournalWrite}s with one statement, and so in one
 * transaction and with one flush: the columns are sent as arrays.
 */
final class JournalConnection implements GroupCommit.Link {
    private static final Logger log = LoggerFactory.getLogger(JournalConnection.class);

    private static final Duration CONNECT_MAX = Duration.ofSeconds(5);
    private static final Duration STATEMENT_MAX = Duration.ofSeconds(15);
    /** A server that has not answered for longer than a statement may take is gone, or frozen. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(20);

    /**
     * The statement is always the same, so it is planned once. Its plan uses the keys' indexes, whatever the statistics of
     * tables say whose rows come and go within a second.
     */
    private static final String OPTIONS = "-c statement_timeout=" + STATEMENT_MAX.toMillis()
            + " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
            + " -c enable_mergejoin=off";

    /** SQL states: no connection (class 08); server stopping, crashed or starting (57P01 to 57P03); read-only standby. */
    private static final String NO_CONNECTION = "08";

    private static final String STOPPING = "57P0";
    private static final String READ_ONLY = "25006";

    /** In the order of the arrays, by which {@code ordering} is assigned. */
    private static final String ENTRIES =
            """
            INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, adapter_manifest,
                event_ser_id, event_ser_manifest, event_payload)
            SELECT persistence_id, sequence_number, writer, write_timestamp, adapter_manifest, event_ser_id,
                event_ser_manifest, event_payload
            FROM unnest(?::text[], ?::bigint[], ?::text[], ?::bigint[], ?::text[], ?::integer[], ?::text[], ?::bytea[])
                WITH ORDINALITY AS entry (persistence_id, sequence_number, writer, write_timestamp, adapter_manifest,
                    event_ser_id, event_ser_manifest, event_payload, place)
            ORDER BY place""";

    /** All parts see the tables as they were before: a run is therefore never remembered and forgotten in one group. */
    private static final String ENTRIES_AND_MEMORY =
            """
            WITH entries AS (
            %s
            ), remembered AS (
                INSERT INTO remembered_run (shard, run_id) SELECT * FROM unnest(?::text[], ?::bpchar[])
                ON CONFLICT DO NOTHING
            )
            DELETE FROM remembered_run USING unnest(?::text[], ?::bpchar[]) AS forgotten (shard, run_id)
            WHERE remembered_run.shard = forgotten.shard AND remembered_run.run_id = forgotten.run_id"""
                    .formatted(ENTRIES);

    private static final String WRITTEN = "SELECT count(*) FROM event_journal WHERE persistence_id = ? AND writer = ?"
            + " AND sequence_number BETWEEN ? AND ?";

    private final Connection connection;
    private final PreparedStatement entries;
    private final PreparedStatement entriesAndMemory;

    /** Prepares the statements on a connection on which each of them is a transaction. */
    private JournalConnection(Connection connection) throws SQLException {
        this.connection = connection;
        this.entries = connection.prepareStatement(ENTRIES);
        this.entriesAndMemory = connection.prepareStatement(ENTRIES_AND_MEMORY);
    }

    /** Connects to a database. */
    static JournalConnection to(PostgresAddress address) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", address.user());
        properties.setProperty("password", address.password());
        properties.setProperty("connectTimeout", String.valueOf(CONNECT_MAX.toSeconds()));
        properties.setProperty("socketTimeout", String.valueOf(ANSWER_MAX.toSeconds()));
        properties.setProperty("prepareThreshold", "1");
        properties.setProperty("options", OPTIONS);
        properties.setProperty("ApplicationName", "vivarium-journal");
        Connection connection = DriverManager.getConnection(address.url(), properties);
        try {
            return new JournalConnection(connection);
        } catch (SQLException failed) {
            connection.close();
            throw failed;
        }
    }

    @Override
    public void write(List<JournalWrite> writes) throws SQLException {
        Memory memory = new Memory(writes);
        PreparedStatement statement = memory.isUnchanged() ? entries : entriesAndMemory;
        bind(statement, writes);
        if (!memory.isUnchanged()) {
            memory.bind(statement);
        }
        statement.executeUpdate();
    }

    private void bind(PreparedStatement statement, List<JournalWrite> writes) throws SQLException {
        int count = writes.stream().mapToInt(write -> write.rows().size()).sum();
        String[] journals = new String[count];
        Long[] seqs = new Long[count];
        String[] writers = new String[count];
        Long[] timestamps = new Long[count];
        String[] manifests = new String[count];
        Integer[] serializers = new Integer[count];
        String[] forms = new String[count];
        byte[][] payloads = new byte[count][];
        int place = 0;
        for (JournalWrite write : writes) {
            for (JournalRow row : write.rows()) {
                journals[place] = write.journal();
                seqs[place] = row.seq();
                writers[place] = write.writer();
                timestamps[place] = row.timestamp();
                manifests[place] = row.manifest();
                serializers[place] = row.serializer();
                forms[place] = row.form();
                payloads[place] = row.payload().toByteArray();
                place++;
            }
        }
        statement.setArray(1, connection.createArrayOf("text", journals));
        statement.setArray(2, connection.createArrayOf("int8", seqs));
        statement.setArray(3, connection.createArrayOf("text", writers));
        statement.setArray(4, connection.createArrayOf("int8", timestamps));
        statement.setArray(5, connection.createArrayOf("text", manifests));
        statement.setArray(6, connection.createArrayOf("int4", serializers));
        statement.setArray(7, connection.createArrayOf("text", forms));
        statement.setArray(8, connection.createArrayOf("bytea", payloads));
    }

    @Override
    public boolean isWritten(JournalWrite write) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(WRITTEN)) {
            query.setString(1, write.journal());
            query.setString(2, write.writer());
            query.setLong(3, write.firstSeq());
            query.setLong(4, write.lastSeq());
            try (ResultSet rows = query.executeQuery()) {
                return rows.next() && rows.getLong(1) == write.rows().size();
            }
        }
    }

    @Override
    public boolean isLost(SQLException failed) {
        return Optional.ofNullable(failed.getSQLState())
                .map(state -> state.startsWith(NO_CONNECTION) || state.startsWith(STOPPING) || state.equals(READ_ONLY))
                .orElse(true);
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException broken) {
            log.debug("The journal's connection was broken: {}", broken.getMessage());
        }
    }

    @Override
    public void abort() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException broken) {
            log.debug("The journal's connection was broken: {}", broken.getMessage());
        }
    }

    /** What becomes of the memory of live runs. A run that is born and ends in one write was never live. */
    private final class Memory {
        private static final int FIRST = 9;

        private final List<RememberingEntry> remembered = new ArrayList<>();
        private final List<RememberingEntry> forgotten = new ArrayList<>();

        Memory(List<JournalWrite> writes) {
            for (JournalWrite write : writes) {
                if (write.changes().size() == 1) {
                    RememberingEntry change = write.changes().get(0);
                    (change.change() == RememberingEntry.Change.REMEMBER ? remembered : forgotten).add(change);
                }
            }
        }

        boolean isUnchanged() {
            return remembered.isEmpty() && forgotten.isEmpty();
        }

        void bind(PreparedStatement statement) throws SQLException {
            bind(statement, FIRST, remembered);
            bind(statement, FIRST + 2, forgotten);
        }

        private void bind(PreparedStatement statement, int index, List<RememberingEntry> changes) throws SQLException {
            statement.setArray(
                    index,
                    connection.createArrayOf(
                            "text",
                            changes.stream().map(RememberingEntry::shard).toArray()));
            statement.setArray(
                    index + 1,
                    connection.createArrayOf(
                            "bpchar",
                            changes.stream().map(change -> change.run().value()).toArray()));
        }
    }
}
