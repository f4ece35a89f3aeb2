package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.persistence.audit.AuditBatch;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.Block;
import dev.vivarium.persistence.audit.RunFacts;
import dev.vivarium.persistence.audit.Tally;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.apache.pekko.Done;

/**
 * The rows of the order over all runs: events by block, and for each value that events are found by the places of those
 * that have it, a row for each batch rather than for each event. A query combines the places of a block in memory and
 * reads the events that are left. All operations block.
 */
final class AuditRows {
    private static final int IN_FLIGHT_MAX = 128;
    private static final int FETCHED_MAX = 128;
    private static final int KNOWN_KEYS_MAX = 100_000;
    private static final String WRITE = "write the order of events";
    private static final String READ = "read the order of events";

    private static final String EVENT = "INSERT INTO audit_event (block, position, at, run_id, seq, tenant, type, node,"
            + " image, principal, reason, labels, format, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            + " USING TIMESTAMP ?";
    private static final String POSTING =
            "INSERT INTO audit_posting (key, block, first, places) VALUES (?, ?, ?, ?) USING TIMESTAMP ?";
    private static final String KEY = "INSERT INTO audit_key (key, block) VALUES (?, ?)";
    private static final String RUN = "INSERT INTO audit_run (run_id, facts) VALUES (?, ?) USING TIMESTAMP ?";
    private static final String COUNT = "INSERT INTO audit_count (measure, day, period, tenant, key, total)"
            + " VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?";
    private static final String BLOCK =
            "INSERT INTO audit_block (id, block, at_min, at_max) VALUES ('all', ?, ?, ?) USING TIMESTAMP ?";

    private static final String FACTS = "SELECT facts FROM audit_run WHERE run_id = ?";
    private static final String TOTAL = "SELECT total FROM audit_count WHERE measure = ? AND day = ? AND period = ?"
            + " AND tenant = ? AND key = ?";
    private static final String DAY =
            "SELECT period, tenant, key, total FROM audit_count WHERE measure = ? AND day = ?";
    private static final String BLOCKS =
            "SELECT block, at_min, at_max FROM audit_block WHERE id = 'all' AND block >= ? AND block <= ?";
    private static final String KEYS = "SELECT block FROM audit_key WHERE key = ? AND block >= ? AND block <= ?";
    private static final String PLACES = "SELECT places FROM audit_posting WHERE key = ? AND block = ?";
    private static final String EVENTS =
            "SELECT position, at, run_id, seq, tenant, type, node, image, principal, reason,"
                    + " labels, format, entry FROM audit_event WHERE block = ? AND position IN ?";

    private final Cassandra cassandra;
    /** Values that are known to be recorded for a block. */
    private final Cache<String, Boolean> knownKeys = Caffeine.newBuilder()
            .maximumSize(KNOWN_KEYS_MAX)
            .executor(Runnable::run)
            .build();

    AuditRows(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    // ---- writing

    /** Writes what a batch says; may be repeated at any later time, by any node. */
    void write(AuditBatch batch) {
        long timestamp = batch.first() + 1;
        List<Supplier<CompletionStage<Done>>> writes = new ArrayList<>();
        for (AuditEntry entry : batch.entries()) {
            writes.add(() -> event(entry, timestamp));
        }
        postings(batch).forEach((posting, places) -> {
            writes.add(() -> cassandra.write(
                    WRITE, POSTING, posting.key(), posting.block(), batch.first(), bytes(places), timestamp));
            String name = posting.block() + " " + posting.key();
            if (knownKeys.getIfPresent(name) == null) {
                writes.add(() -> cassandra
                        .write(WRITE, KEY, posting.key(), posting.block())
                        .thenApply(done -> {
                            knownKeys.put(name, true);
                            return done;
                        }));
            }
        });
        for (RunFacts run : batch.runs()) {
            writes.add(() -> cassandra.write(WRITE, RUN, run.run().value(), json(run), timestamp));
        }
        for (Tally.Count count : batch.counts()) {
            Tally tally = count.tally();
            writes.add(() -> cassandra.write(
                    WRITE,
                    COUNT,
                    tally.measure().name(),
                    day(tally.period()),
                    tally.period().getEpochSecond(),
                    tally.tenant(),
                    tally.key(),
                    count.total(),
                    timestamp));
        }
        for (Block block : batch.blocks()) {
            writes.add(() ->
                    cassandra.write(WRITE, BLOCK, block.number(), micros(block.from()), micros(block.to()), timestamp));
        }
        for (int from = 0; from < writes.size(); from += IN_FLIGHT_MAX) {
            Cassandra.await(Cassandra.all(writes.subList(from, Math.min(writes.size(), from + IN_FLIGHT_MAX)).stream()
                    .map(Supplier::get)
                    .toList()));
        }
    }

    private CompletionStage<Done> event(AuditEntry entry, long timestamp) {
        return cassandra.write(
                WRITE,
                EVENT,
                Block.of(entry.position()),
                entry.position(),
                micros(entry.at()),
                entry.run().value(),
                entry.seq(),
                entry.tenant(),
                entry.type(),
                entry.node(),
                entry.image(),
                entry.by().orElse(""),
                entry.reason().orElse(""),
                json(entry.labels()),
                JournalEntryFormat.MANIFEST,
                ByteBuffer.wrap(JournalEntryFormat.write(entry.entry())),
                timestamp);
    }

    private record Posting(String key, long block) {}

    private static Map<Posting, List<Integer>> postings(AuditBatch batch) {
        Map<Posting, List<Integer>> postings = new LinkedHashMap<>();
        for (AuditEntry entry : batch.entries()) {
            long block = Block.of(entry.position());
            int place = (int) (entry.position() % Block.POSITIONS);
            for (String key : keys(entry)) {
                postings.computeIfAbsent(new Posting(key, block), first -> new ArrayList<>())
                        .add(place);
            }
        }
        return postings;
    }

    private static List<String> keys(AuditEntry entry) {
        List<String> keys = new ArrayList<>();
        keys.add(key("RUN", entry.run().value()));
        for (Field field : Field.values()) {
            String value = AuditFilter.value(entry, field);
            if (!value.isEmpty()) {
                keys.add(key(field.name(), value));
            }
        }
        entry.labels().forEach((name, value) -> keys.add(label(name, value)));
        return keys;
    }

    private static String key(String field, String value) {
        return field + ":" + json(value);
    }

    private static String label(String name, String value) {
        return "LABEL:" + json(Map.of(name, value));
    }

    private static ByteBuffer bytes(List<Integer> places) {
        ByteBuffer bytes = ByteBuffer.allocate(places.size() * Short.BYTES);
        places.forEach(place -> bytes.putShort(place.shortValue()));
        return bytes.flip();
    }

    // ---- what the sequencer reads

    Map<RunId, RunFacts> facts(Collection<RunId> wanted) {
        List<CompletionStage<Optional<RunFacts>>> reads = new ArrayList<>();
        wanted.forEach(run -> reads.add(cassandra.rows(READ, FACTS, run.value()).thenApply(rows -> rows.stream()
                .findFirst()
                .map(row -> json(row, 0, new TypeReference<RunFacts>() {})))));
        Map<RunId, RunFacts> facts = new HashMap<>();
        Cassandra.await(Cassandra.all(reads)).forEach(read -> read.ifPresent(one -> facts.put(one.run(), one)));
        return facts;
    }

    Map<Tally, Long> totals(Collection<Tally> tallies) {
        List<Tally> asked = List.copyOf(tallies);
        List<CompletionStage<List<Row>>> reads = new ArrayList<>();
        asked.forEach(tally -> reads.add(cassandra.rows(
                READ,
                TOTAL,
                tally.measure().name(),
                day(tally.period()),
                tally.period().getEpochSecond(),
                tally.tenant(),
                tally.key())));
        List<List<Row>> read = Cassandra.await(Cassandra.all(reads));
        Map<Tally, Long> totals = new HashMap<>();
        for (int i = 0; i < asked.size(); i++) {
            if (!read.get(i).isEmpty()) {
                totals.put(asked.get(i), read.get(i).get(0).getLong(0));
            }
        }
        return totals;
    }

    List<Block> blocks(long from, long to) {
        return Cassandra.await(cassandra.rows(READ, BLOCKS, from, to)).stream()
                .map(row -> new Block(row.getLong(0), instant(row.getLong(1)), instant(row.getLong(2))))
                .toList();
    }

    // ---- what readers read

    Optional<Window> positions(Optional<Instant> since, Optional<Instant> until) {
        List<Block> meant = blocks(0, Long.MAX_VALUE).stream()
                .filter(block -> since.map(time -> !block.to().isBefore(time.truncatedTo(ChronoUnit.MICROS)))
                                .orElse(true)
                        && until.map(time -> block.from().isBefore(time)).orElse(true))
                .toList();
        return meant.isEmpty()
                ? Optional.empty()
                : Optional.of(new Window(
                        meant.get(0).number() * Block.POSITIONS,
                        (meant.get(meant.size() - 1).number() + 1) * Block.POSITIONS));
    }

    /** The blocks of the range, and of a filter only those that have one of each field's values. */
    List<Window> windows(AuditFilter filter, Window range, AuditOrder order) {
        long first = Block.of(range.from());
        long last = Block.of(range.to() - 1);
        Optional<TreeSet<Long>> named = Optional.empty();
        for (List<String> any : fields(filter)) {
            TreeSet<Long> blocks = new TreeSet<>();
            any.forEach(key -> Cassandra.await(cassandra.rows(READ, KEYS, key, first, last))
                    .forEach(row -> blocks.add(row.getLong(0))));
            named.ifPresent(blocks::retainAll);
            named = Optional.of(blocks);
        }
        List<Long> blocks = named.<List<Long>>map(ArrayList::new)
                .orElseGet(() -> new ArrayList<>(
                        LongStream.rangeClosed(first, last).boxed().toList()));
        if (order == AuditOrder.NEWEST) {
            blocks.sort(Comparator.reverseOrder());
        }
        return blocks.stream()
                .map(block -> new Window(block * Block.POSITIONS, (block + 1) * Block.POSITIONS).and(range))
                .toList();
    }

    /** The keys of each condition; an event must have one of each. */
    private static List<List<String>> fields(AuditFilter filter) {
        List<List<String>> fields = new ArrayList<>();
        if (!filter.runs().isEmpty()) {
            fields.add(filter.runs().stream().map(run -> key("RUN", run)).toList());
        }
        filter.words()
                .forEach((field, any) -> fields.add(
                        any.stream().map(value -> key(field.name(), value)).toList()));
        filter.labels().forEach((name, value) -> fields.add(List.of(label(name, value))));
        return fields;
    }

    List<AuditEntry> entries(AuditFilter filter, Window window, AuditOrder order, int limit) {
        long block = Block.of(window.from());
        BitSet places = new BitSet();
        places.set((int) (window.from() - block * Block.POSITIONS), (int) (window.to() - block * Block.POSITIONS));
        for (List<String> any : fields(filter)) {
            places.and(places(any, block));
        }
        List<Long> positions = new ArrayList<>(places.stream()
                .mapToObj(place -> block * Block.POSITIONS + place)
                .toList());
        Comparator<Long> byOrder = order == AuditOrder.NEWEST ? Comparator.reverseOrder() : Comparator.naturalOrder();
        positions.sort(byOrder);
        List<AuditEntry> found = new ArrayList<>();
        for (int from = 0; from < positions.size() && found.size() < limit; from += FETCHED_MAX) {
            List<Long> some = positions.subList(from, Math.min(positions.size(), from + FETCHED_MAX));
            Cassandra.await(cassandra.rows(READ, EVENTS, block, some)).stream()
                    .map(AuditRows::entry)
                    .filter(filter::matches)
                    .sorted(Comparator.comparing(AuditEntry::position, byOrder))
                    .forEach(found::add);
        }
        return found.size() > limit ? found.subList(0, limit) : found;
    }

    private BitSet places(List<String> any, long block) {
        List<CompletionStage<List<Row>>> reads = new ArrayList<>();
        any.forEach(key -> reads.add(cassandra.rows(READ, PLACES, key, block)));
        BitSet places = new BitSet();
        for (List<Row> rows : Cassandra.await(Cassandra.all(reads))) {
            for (Row row : rows) {
                ByteBuffer bytes =
                        ByteBuffer.wrap(CassandraRunJournal.bytes(row, 0).toByteArray());
                while (bytes.hasRemaining()) {
                    places.set(Short.toUnsignedInt(bytes.getShort()));
                }
            }
        }
        return places;
    }

    private static AuditEntry entry(Row row) {
        return new AuditEntry(
                row.getLong(0),
                instant(row.getLong(1)),
                new RunId(text(row, 2)),
                row.getLong(3),
                text(row, 5),
                text(row, 6),
                text(row, 4),
                text(row, 7),
                word(row, 8),
                word(row, 9),
                json(row, 10, new TypeReference<Map<String, String>>() {}),
                JournalEntryFormat.read(
                        text(row, 11), CassandraRunJournal.bytes(row, 12).toByteArray()));
    }

    List<Tally.Count> counts(Tally.Measure measure, Optional<String> tenant, Instant since, Instant until) {
        List<Tally.Count> counts = new ArrayList<>();
        List<Long> days = LongStream.rangeClosed(day(since), day(until)).boxed().toList();
        for (int from = 0; from < days.size() && counts.size() <= AuditQueries.COUNTS_MAX; from += IN_FLIGHT_MAX) {
            List<CompletionStage<List<Row>>> reads = new ArrayList<>();
            days.subList(from, Math.min(days.size(), from + IN_FLIGHT_MAX))
                    .forEach(day -> reads.add(cassandra.rows(READ, DAY, measure.name(), day)));
            Cassandra.await(Cassandra.all(reads))
                    .forEach(rows -> rows.forEach(row -> {
                        Tally tally =
                                new Tally(measure, Instant.ofEpochSecond(row.getLong(0)), text(row, 1), text(row, 2));
                        if (!tally.period().isBefore(since)
                                && tally.period().isBefore(until)
                                && tenant.map(tally.tenant()::equals).orElse(true)) {
                            counts.add(new Tally.Count(tally, row.getLong(3)));
                        }
                    }));
        }
        return counts;
    }

    private static long day(Instant at) {
        return Math.floorDiv(at.getEpochSecond(), ChronoUnit.DAYS.getDuration().toSeconds());
    }

    private static long micros(Instant at) {
        return RunIndexTables.micros(at);
    }

    private static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    private static String text(Row row, int column) {
        return String.valueOf(row.getString(column));
    }

    private static Optional<String> word(Row row, int column) {
        return Optional.of(text(row, column)).filter(text -> !text.isEmpty());
    }

    private static String json(Object value) {
        try {
            return JournalJson.MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("Rows have a JSON form.", impossible);
        }
    }

    private static <T> T json(Row row, int column, TypeReference<T> type) {
        try {
            return JournalJson.MAPPER.readValue(text(row, column), type);
        } catch (JsonProcessingException damaged) {
            throw new StoreUnavailable("A row of the order of events is damaged.", damaged);
        }
    }
}
