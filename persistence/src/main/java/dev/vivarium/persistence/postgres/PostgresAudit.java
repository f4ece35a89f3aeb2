package dev.vivarium.persistence.postgres;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.audit.AuditBatch;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.audit.Block;
import dev.vivarium.persistence.audit.RunFacts;
import dev.vivarium.persistence.audit.Tally;
import dev.vivarium.persistence.audit.tlog.LogGrowth;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.Tile;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The order over all runs on PostgreSQL. Its source are the journal's settled entries ({@link SettledEntries}), before
 * which none can appear any more. A batch, the seat and the offset are one transaction: the update of the seat fails for
 * every epoch but the last, and with it everything else.
 */
final class PostgresAudit implements AuditTables {
    private static final Logger log = LoggerFactory.getLogger(PostgresAudit.class);

    private static final String NAME = "audit";
    private static final int VERSION = 1;
    private static final int ENTRIES_MAX = 2_000;

    private static final String TAKE_OVER = "UPDATE audit_head SET epoch = epoch + 1 RETURNING epoch, size";
    private static final String KEEP = "UPDATE audit_head SET size = ? WHERE epoch = ? AND size = ?";

    private static final String EVENT =
            "INSERT INTO audit_event (position, at, run_id, seq, tenant, type, node, image, principal, reason, labels)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String RUN = "INSERT INTO audit_run (run_id, facts) VALUES (?, ?::json)"
            + " ON CONFLICT (run_id) DO UPDATE SET facts = excluded.facts";
    private static final String COUNT =
            "INSERT INTO audit_count (measure, period, tenant, key, total) VALUES (?, ?, ?, ?, ?)"
                    + " ON CONFLICT (measure, period, tenant, key) DO UPDATE SET total = excluded.total";
    private static final String BLOCK = "INSERT INTO audit_block (block, at_min, at_max) VALUES (?, ?, ?)"
            + " ON CONFLICT (block) DO UPDATE SET at_min = excluded.at_min, at_max = excluded.at_max";

    private static final String FACTS = "SELECT run_id, facts FROM audit_run WHERE run_id = ANY (?)";
    private static final String TOTALS =
            """
            SELECT asked.n, total FROM unnest(?::text[], ?::timestamptz[], ?::text[], ?::text[]) WITH ORDINALITY
                AS asked (measure, period, tenant, key, n)
            JOIN audit_count USING (measure, period, tenant, key)""";

    /** The offset's row does not exist before the first sequencer. */
    private static final String HEAD =
            """
            SELECT size, extract(epoch FROM clock_timestamp()) * 1000, (
                SELECT write_timestamp FROM event_journal
                WHERE (transaction_id, ordering) > (
                    coalesce((SELECT transaction_id FROM projection_offset WHERE projection = '%1$s'), '0'),
                    coalesce((SELECT ordering FROM projection_offset WHERE projection = '%1$s'), 0))
                ORDER BY transaction_id, ordering LIMIT 1)
            FROM audit_head"""
                    .formatted(NAME + "/" + VERSION);

    private static final String LOG = "SELECT tree_size, checkpoint FROM audit_head";
    private static final String GROW = "UPDATE audit_head SET tree_size = ?,"
            + " checkpoint = coalesce(nullif(?, ''), checkpoint) WHERE epoch = ? AND tree_size = ?";
    private static final String TILE = "INSERT INTO audit_tile (level, index, hashes) VALUES (?, ?, ?)"
            + " ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes";
    private static final String HASHES = "SELECT hashes FROM audit_tile WHERE level = ? AND index = ?";

    private static final int PASSED_MAX = 1_000;
    /** What the offset has not reached yet will get a position. Ids begin behind "run|" or "act|". */
    private static final String PASSED =
            """
            SELECT persistence_id, sequence_number, journal.ordering, position IS NULL AND EXISTS (
                    SELECT FROM projection_offset AS reached WHERE projection = '%s'
                    AND (journal.transaction_id, journal.ordering) <= (reached.transaction_id, reached.ordering))
            FROM (SELECT transaction_id, ordering, persistence_id, sequence_number FROM event_journal
                WHERE ordering > ? ORDER BY ordering LIMIT %d) AS journal
            LEFT JOIN audit_event ON run_id = substr(persistence_id, 5)::bpchar AND seq = sequence_number
            ORDER BY journal.ordering"""
                    .formatted(NAME + "/" + VERSION, PASSED_MAX);

    private final Database database;
    private final PostgresAuditQueries queries = new PostgresAuditQueries();

    PostgresAudit(Database database) {
        this.database = database;
    }

    private static SettledEntries entries(Connection connection) {
        return new SettledEntries(connection, NAME, VERSION, ENTRIES_MAX, ChainPersistenceId::parse);
    }

    @Override
    public Seat takeOver() {
        return database.transactNow("begin to order events", connection -> {
            entries(connection).begin();
            try (PreparedStatement update = connection.prepareStatement(TAKE_OVER);
                    ResultSet row = update.executeQuery()) {
                row.next();
                return new Seat(row.getLong(1), row.getLong(2));
            }
        });
    }

    @Override
    public News next(Function<Set<RunId>, Map<RunId, RunFacts>> facts) {
        return database.transactNow("read the journal", connection -> {
            SettledEntries entries = entries(connection);
            SettledEntries.News news = entries.news();
            if (news.reach() == SettledEntries.Reach.FOREIGN) {
                long adopted = entries.adoptForeignTransactions();
                log.warn("{} entries or offsets were written on another server; ordering them from there.", adopted);
            }
            return new SettledNews(news);
        });
    }

    /** Settled entries after the offset. */
    private final class SettledNews implements News {
        private final SettledEntries.News news;

        SettledNews(SettledEntries.News news) {
            this.news = news;
        }

        @Override
        public List<Item> items() {
            return news.found().stream()
                    .map(found -> new Item(found.run(), found.seq(), found.entry()))
                    .toList();
        }

        @Override
        public Rest rest() {
            return news.reach() == SettledEntries.Reach.MORE || news.reach() == SettledEntries.Reach.FOREIGN
                    ? Rest.MORE
                    : Rest.NOTHING_YET;
        }

        @Override
        public Written write(Seat seat, AuditBatch batch) {
            if (news.upTo().isEmpty()) {
                return Written.DONE;
            }
            return database.transactNow("write the order of events", connection -> {
                if (!isKept(connection, seat, batch)) {
                    return Written.FENCED_OFF;
                }
                if (entries(connection).move(news.from(), news.upTo().get()) == SettledEntries.Move.OTHERS_WERE_FIRST) {
                    throw new SQLException("the offset in the journal was reset meanwhile");
                }
                insert(connection, batch);
                return Written.DONE;
            });
        }
    }

    private static boolean isKept(Connection connection, Seat seat, AuditBatch batch) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(KEEP)) {
            update.setLong(1, batch.end());
            update.setLong(2, seat.epoch());
            update.setLong(3, seat.size());
            return update.executeUpdate() == 1;
        }
    }

    private static void insert(Connection connection, AuditBatch batch) throws SQLException {
        try (PreparedStatement event = connection.prepareStatement(EVENT);
                PreparedStatement run = connection.prepareStatement(RUN);
                PreparedStatement count = connection.prepareStatement(COUNT);
                PreparedStatement block = connection.prepareStatement(BLOCK)) {
            for (AuditEntry entry : batch.entries()) {
                add(connection, event, entry);
            }
            for (RunFacts facts : batch.runs()) {
                run.setString(1, facts.run().value());
                run.setString(2, json(facts));
                run.addBatch();
            }
            for (Tally.Count one : batch.counts()) {
                count.setString(1, one.tally().measure().name());
                count.setObject(2, PostgresRunIndex.time(one.tally().period()));
                count.setString(3, one.tally().tenant());
                count.setString(4, one.tally().key());
                count.setLong(5, one.total());
                count.addBatch();
            }
            for (Block one : batch.blocks()) {
                block.setLong(1, one.number());
                block.setObject(2, PostgresRunIndex.time(one.from().truncatedTo(ChronoUnit.MICROS)));
                block.setObject(3, PostgresRunIndex.time(one.to().truncatedTo(ChronoUnit.MICROS)));
                block.addBatch();
            }
            event.executeBatch();
            run.executeBatch();
            count.executeBatch();
            block.executeBatch();
        }
    }

    private static void add(Connection connection, PreparedStatement event, AuditEntry entry) throws SQLException {
        event.setLong(1, entry.position());
        event.setObject(2, PostgresRunIndex.time(entry.at().truncatedTo(ChronoUnit.MICROS)));
        event.setString(3, entry.run().value());
        event.setLong(4, entry.seq());
        event.setString(5, entry.tenant());
        event.setString(6, entry.type());
        event.setString(7, entry.node());
        event.setString(8, entry.image());
        event.setString(9, entry.by().orElse(null));
        event.setString(10, entry.reason().orElse(null));
        event.setArray(11, connection.createArrayOf("text", PostgresAuditQueries.labels(entry.labels())));
        event.addBatch();
    }

    @Override
    public Map<RunId, RunFacts> facts(Collection<RunId> runs) {
        return database.transactNow("read the order of events", connection -> {
            Map<RunId, RunFacts> facts = new HashMap<>();
            try (PreparedStatement query = connection.prepareStatement(FACTS)) {
                query.setArray(
                        1,
                        connection.createArrayOf(
                                "bpchar", runs.stream().map(RunId::value).toArray()));
                try (ResultSet rows = query.executeQuery()) {
                    while (rows.next()) {
                        facts.put(new RunId(rows.getString(1)), facts(rows.getString(2)));
                    }
                }
            }
            return facts;
        });
    }

    @Override
    public Map<Tally, Long> totals(Collection<Tally> tallies) {
        List<Tally> asked = List.copyOf(tallies);
        return database.transactNow("read the totals of events", connection -> {
            Map<Tally, Long> totals = new HashMap<>();
            try (PreparedStatement query = connection.prepareStatement(TOTALS)) {
                query.setArray(
                        1, texts(connection, asked, tally -> tally.measure().name()));
                query.setArray(
                        2, texts(connection, asked, tally -> tally.period().toString()));
                query.setArray(3, texts(connection, asked, tally -> tally.tenant()));
                query.setArray(4, texts(connection, asked, tally -> tally.key()));
                try (ResultSet rows = query.executeQuery()) {
                    while (rows.next()) {
                        totals.put(asked.get(rows.getInt(1) - 1), rows.getLong(2));
                    }
                }
            }
            return totals;
        });
    }

    private static java.sql.Array texts(Connection connection, List<Tally> tallies, Function<Tally, String> text)
            throws SQLException {
        return connection.createArrayOf("text", tallies.stream().map(text).toArray());
    }

    @Override
    public Optional<Block> block(long number) {
        return database.transactNow(
                "read the order of events", connection -> PostgresAuditQueries.block(connection, number));
    }

    @Override
    public AuditHead head() {
        return database.transactNow("read the order of events", connection -> {
            try (PreparedStatement query = connection.prepareStatement(HEAD);
                    ResultSet row = query.executeQuery()) {
                row.next();
                Optional<Long> oldest = Optional.ofNullable(row.getObject(3, Long.class));
                long now = row.getLong(2);
                return new AuditHead(
                        row.getLong(1), oldest.map(at -> Math.max(0, now - at)).orElse(0L));
            }
        });
    }

    @Override
    public List<Window> windows(AuditFilter filter, Window range, AuditOrder order) {
        return PostgresAuditQueries.windows(range, order);
    }

    @Override
    public List<AuditEntry> entries(AuditFilter filter, Window window, AuditOrder order, int limit) {
        return database.transactNow(
                "list events", connection -> queries.entries(connection, filter, window, order, limit));
    }

    @Override
    public Optional<Window> positions(Optional<Instant> since, Optional<Instant> until) {
        return database.transactNow(
                "list events", connection -> PostgresAuditQueries.positions(connection, since, until));
    }

    @Override
    public List<Tally.Count> counts(Tally.Measure measure, Optional<String> tenant, Instant since, Instant until) {
        return database.transactNow(
                "count events", connection -> PostgresAuditQueries.counts(connection, measure, tenant, since, until));
    }

    @Override
    public LogHead log() {
        return database.transactNow("read the log of events", connection -> {
            try (PreparedStatement query = connection.prepareStatement(LOG);
                    ResultSet row = query.executeQuery()) {
                row.next();
                return new LogHead(row.getLong(1), row.getString(2));
            }
        });
    }

    @Override
    public Written grow(Seat seat, LogGrowth growth) {
        return database.transactNow("write the log of events", connection -> {
            try (PreparedStatement update = connection.prepareStatement(GROW)) {
                update.setLong(1, growth.size());
                update.setString(2, growth.checkpoint());
                update.setLong(3, seat.epoch());
                update.setLong(4, growth.stored());
                if (update.executeUpdate() != 1) {
                    return Written.FENCED_OFF;
                }
            }
            try (PreparedStatement insert = connection.prepareStatement(TILE)) {
                for (Tile tile : growth.tiles()) {
                    insert.setInt(1, tile.level());
                    insert.setLong(2, tile.index());
                    insert.setBytes(3, tile.hashes().toByteArray());
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            return Written.DONE;
        });
    }

    @Override
    public byte[] tile(int level, long index, int width) {
        return database.transactNow("read the log of events", connection -> {
            try (PreparedStatement query = connection.prepareStatement(HASHES)) {
                query.setInt(1, level);
                query.setLong(2, index);
                try (ResultSet row = query.executeQuery()) {
                    byte[] hashes = row.next() ? row.getBytes(1) : new byte[0];
                    return Tile.atLeast(width, level, index, hashes);
                }
            }
        });
    }

    @Override
    public List<StoredEntry> journal(RunId run) {
        return database.transactNow(
                "read the events of run " + run, connection -> PostgresJournal.intact(connection, run));
    }

    @Override
    public Passed passed(long after) {
        return database.transactNow("read the journal", connection -> {
            List<Item> without = new ArrayList<>();
            int looked = 0;
            long last = after;
            try (PreparedStatement query = connection.prepareStatement(PASSED)) {
                query.setLong(1, after);
                try (ResultSet rows = query.executeQuery()) {
                    while (rows.next()) {
                        looked++;
                        last = rows.getLong(3);
                        if (rows.getBoolean(4)) {
                            long seq = rows.getLong(2);
                            ChainPersistenceId.parse(rows.getString(1))
                                    .ifPresent(run -> without.add(new Item(run, seq, Optional.empty())));
                        }
                    }
                }
            }
            return new Passed(without, looked, looked < PASSED_MAX ? OptionalLong.empty() : OptionalLong.of(last));
        });
    }

    private static String json(RunFacts facts) {
        try {
            return JournalJson.MAPPER.writeValueAsString(facts);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("What is known of a run has a JSON form.", impossible);
        }
    }

    private static RunFacts facts(String json) throws SQLException {
        try {
            return JournalJson.MAPPER.readValue(json, RunFacts.class);
        } catch (JsonProcessingException damaged) {
            throw new SQLException("a row of audit_run is damaged", damaged);
        }
    }
}
