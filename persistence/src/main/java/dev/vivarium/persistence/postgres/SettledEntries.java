package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** A projection's offset in the journal and the settled entries after it, in one transaction. */
final class SettledEntries {
    /** The entries of a step, for a projection that writes little for each. */
    static final int ENTRIES_MAX = 500;

    private static final int BYTES_MAX = 16 << 20;

    private static final String OFFSET =
            """
            SELECT transaction_id::text, ordering, transaction_id >= pg_snapshot_xmax(snapshot),
                pg_snapshot_xmin(snapshot)::text, pg_snapshot_xmax(snapshot)::text
            FROM projection_offset, pg_current_snapshot() AS snapshot WHERE projection = ?""";

    /** A visible entry is older than every future transaction, unless another server assigned its number. */
    private static final String NEW_ENTRIES =
            """
            SELECT sized.transaction_id::text, ordering, persistence_id, sequence_number, settled, is_foreign,
                bytes_before + octet_length(event_payload), event_ser_id, event_ser_manifest, event_payload
            FROM (SELECT news.*, sum(octet_length(event_payload)) OVER (ORDER BY news.transaction_id, ordering)
                    - octet_length(event_payload) AS bytes_before
                FROM (SELECT transaction_id, ordering, persistence_id, sequence_number, event_ser_id,
                        event_ser_manifest, event_payload,
                        transaction_id < pg_snapshot_xmin(pg_current_snapshot()) AS settled,
                        transaction_id >= pg_snapshot_xmax(pg_current_snapshot()) AS is_foreign
                    FROM event_journal WHERE (transaction_id, ordering) > (?::xid8, ?)
                    ORDER BY transaction_id, ordering LIMIT %d) AS news) AS sized
            WHERE bytes_before < %d ORDER BY sized.transaction_id, ordering""";

    private static final String MOVE =
            """
            UPDATE projection_offset SET transaction_id = ?::xid8, ordering = ?
            WHERE projection = ? AND transaction_id = ?::xid8 AND ordering = ?""";

    private static final String BEGIN =
            "INSERT INTO projection_offset (projection, transaction_id, ordering) VALUES (?, '0', 0)"
                    + " ON CONFLICT DO NOTHING";
    private static final String END_OTHERS =
            "DELETE FROM projection_offset WHERE starts_with(projection, ?) AND projection <> ?";

    private final Connection connection;
    private final String family;
    private final String projection;
    private final int entriesMax;
    private final Function<String, Optional<RunId>> chains;

    /**
     * The entries after a projection's offset.
     *
     * @param chains which persistence ids it follows
     */
    SettledEntries(
            Connection connection, String name, int version, int entriesMax, Function<String, Optional<RunId>> chains) {
        this.connection = connection;
        this.family = name + "/";
        this.projection = family + version;
        this.entriesMax = entriesMax;
        this.chains = chains;
    }

    /** A position in the journal. */
    record Offset(String transaction, long ordering) {
        private static final Offset START = new Offset("0", 0);
    }

    /** How far the entries read reach. */
    enum Reach {
        /** Everything in the journal. */
        ALL,
        /** Everything that is settled; unsettled entries exist. */
        ALL_SETTLED,
        /** As much as one step reads; more is settled. */
        MORE,
        /** There are transaction ids of another server: call {@link #adoptForeignTransactions} first. */
        FOREIGN
    }

    /** A chain's entry; empty when its bytes are no entry. */
    record Found(RunId run, long seq, Optional<JournalEntry> entry) {}

    /**
     * New settled entries.
     *
     * @param found the entries, in the journal's order
     * @param upTo where they end; empty when there are none
     * @param oldestRunning every earlier transaction has ended
     * @param nextTransaction no transaction with this or a later id has begun
     */
    record News(
            List<Found> found,
            Offset from,
            Optional<Offset> upTo,
            Reach reach,
            long oldestRunning,
            long nextTransaction) {
        static final News NONE = new News(List.of(), Offset.START, Optional.empty(), Reach.MORE, 0, 0);

        /** By run; none for a run with a damaged entry, which stops its own row only: it must be read from the journal. */
        Map<RunId, List<StoredEntry>> entries() {
            Map<RunId, List<StoredEntry>> entries = new LinkedHashMap<>();
            Set<RunId> damaged = new HashSet<>();
            for (Found one : found) {
                List<StoredEntry> some = entries.computeIfAbsent(one.run(), first -> new ArrayList<>());
                one.entry()
                        .ifPresentOrElse(
                                entry -> some.add(new StoredEntry(one.seq(), entry)), () -> damaged.add(one.run()));
            }
            damaged.forEach(run -> entries.put(run, List.of()));
            return entries;
        }
    }

    /** Whether the offset existed. */
    enum Beginning {
        AS_BEFORE,
        FIRST,
        /** Another version of this projection had rows until now. */
        OTHER_VERSION
    }

    /** Whether the offset could be moved. */
    enum Move {
        DONE,
        OTHERS_WERE_FIRST
    }

    /** Creates the offset if there is none, replacing that of any other version. */
    Beginning begin() throws SQLException {
        if (update(BEGIN, projection) == 0) {
            return Beginning.AS_BEFORE;
        }
        return update(END_OTHERS, family, projection) == 0 ? Beginning.FIRST : Beginning.OTHER_VERSION;
    }

    /**
     * Assigns entries with another server's transaction ids an id of this server, and resets offsets beyond all ids of
     * this server. No statement timeout applies.
     *
     * @return how many entries and offsets were changed
     */
    long adoptForeignTransactions() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET LOCAL statement_timeout = 0");
            return (long) statement.executeUpdate("UPDATE projection_offset SET transaction_id = '0', ordering = 0"
                            + " WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())")
                    + statement.executeUpdate("UPDATE event_journal SET transaction_id = pg_current_xact_id()"
                            + " WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())");
        }
    }

    /** Reads the new entries. Settled entries come first, since they are older than all others. */
    News news() throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(OFFSET)) {
            query.setString(1, projection);
            try (ResultSet rows = query.executeQuery()) {
                if (!rows.next()) {
                    throw new SQLException("The offset of " + projection + " is gone: another version of this"
                            + " projection is running.");
                }
                Offset offset = new Offset(rows.getString(1), rows.getLong(2));
                long oldestRunning = Long.parseLong(rows.getString(4));
                long nextTransaction = Long.parseLong(rows.getString(5));
                return rows.getBoolean(3)
                        ? new News(List.of(), offset, Optional.empty(), Reach.FOREIGN, oldestRunning, nextTransaction)
                        : news(offset, oldestRunning, nextTransaction);
            }
        }
    }

    private News news(Offset offset, long oldestRunning, long nextTransaction) throws SQLException {
        List<Found> found = new ArrayList<>();
        Optional<Offset> upTo = Optional.empty();
        Reach reach = Reach.ALL;
        int count = 0;
        try (PreparedStatement query = connection.prepareStatement(NEW_ENTRIES.formatted(entriesMax, BYTES_MAX))) {
            query.setString(1, offset.transaction());
            query.setLong(2, offset.ordering());
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    count++;
                    if (rows.getBoolean(6)) {
                        return new News(
                                List.of(), offset, Optional.empty(), Reach.FOREIGN, oldestRunning, nextTransaction);
                    }
                    if (!rows.getBoolean(5)) {
                        reach = Reach.ALL_SETTLED;
                        continue;
                    }
                    upTo = Optional.of(new Offset(rows.getString(1), rows.getLong(2)));
                    if (count == entriesMax || rows.getLong(7) >= BYTES_MAX) {
                        reach = Reach.MORE;
                    }
                    add(rows, found);
                }
            }
        }
        return new News(found, offset, upTo, reach, oldestRunning, nextTransaction);
    }

    private void add(ResultSet row, List<Found> found) throws SQLException {
        Optional<RunId> run = chains.apply(row.getString(3));
        if (run.isPresent()) {
            found.add(new Found(run.get(), row.getLong(4), entry(row)));
        }
    }

    private static Optional<JournalEntry> entry(ResultSet row) throws SQLException {
        try {
            return Optional.of(PostgresJournal.entry(row, 8));
        } catch (IllegalArgumentException damaged) {
            return Optional.empty();
        }
    }

    /** Moves the offset, provided that it is still where it was read. */
    Move move(Offset from, Offset to) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(MOVE)) {
            update.setString(1, to.transaction());
            update.setLong(2, to.ordering());
            update.setString(3, projection);
            update.setString(4, from.transaction());
            update.setLong(5, from.ordering());
            return update.executeUpdate() == 1 ? Move.DONE : Move.OTHERS_WERE_FIRST;
        }
    }

    private int update(String sql, String... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setString(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }
}
