package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.follow.Row;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The tables behind the list of runs.
 *
 * <pre>
 * run_view    (run)                            the run as the API shows it; the only one that changes with the run
 * run_index   (key, hour), submission, run     written once: under "time", each label and the outcome
 * run_live    (hour, shard), run               from before its first event until its last one is listed
 * run_bucket  (key), hour                      the hours in which a key has any rows
 * </pre>
 *
 * <p>A partition holds an hour of one key, so none grows without bound, and reading newest first visits no empty hours.
 * Only {@code run_live} sees deletions: a run's one row, after it has ended.
 *
 * <p>All writes are idempotent. Writes of a view carry a timestamp, the time of submission plus the number of the last
 * event, so that of two concurrent followers an older row never overwrites a newer one; the timestamp also contains the
 * version of the list that wrote it.
 */
final class RunIndexTables {
    static final String TIME = "time";
    static final String LIVE = "live";
    static final String PENDING = "pending";

    /** The live runs of an hour are spread over so many partitions. */
    static final int LIVE_SHARDS = 8;

    private static final long BUCKET_MICROS = Duration.ofHours(1).toMillis() * 1_000;
    private static final int KNOWN_BUCKETS_MAX = 10_000;

    /** Far more than the events that a run can have. */
    private static final long VERSION_MICROS = 1_000_000_000_000L;

    private static final String INSERT_BUCKET = "INSERT INTO run_bucket (key, bucket) VALUES (?, ?)";
    private static final String INSERT_INDEX =
            "INSERT INTO run_index (key, bucket, submitted_at, run_id) VALUES (?, ?, ?, ?)";
    private static final String INSERT_LIVE =
            "INSERT INTO run_live (bucket, shard, run_id, submitted_at) VALUES (?, ?, ?, ?)";
    private static final String INSERT_PENDING =
            "INSERT INTO audit_pending (bucket, shard, run_id, submitted_at) VALUES (?, ?, ?, ?)";
    private static final String DELETE_PENDING =
            "DELETE FROM audit_pending WHERE bucket = ? AND shard = ? AND run_id = ?";
    private static final String PENDING_RUNS =
            "SELECT run_id, submitted_at FROM audit_pending WHERE bucket = ? AND shard = ?";
    private static final String DELETE_LIVE = "DELETE FROM run_live WHERE bucket = ? AND shard = ? AND run_id = ?";
    private static final String DELETE_BUCKET = "DELETE FROM run_bucket WHERE key = ? AND bucket = ?";
    private static final String INSERT_VIEW =
            "INSERT INTO run_view (run_id, seq, labels, run) VALUES (?, ?, ?, ?) USING TIMESTAMP ?";
    private static final String VIEW = "SELECT seq, run, WRITETIME(run) FROM run_view WHERE run_id = ?";
    private static final String RUNS = "SELECT run_id FROM run_index WHERE key = ? AND bucket = ?";
    private static final int RUNS_A_PAGE = 500;
    private static final String SELECT_VERSION = "SELECT version FROM projection WHERE name = ?";
    private static final String INSERT_VERSION = "INSERT INTO projection (name, version) VALUES (?, ?)";
    private static final String BUCKETS =
            "SELECT bucket FROM run_bucket WHERE key = ? AND bucket >= ? AND bucket <= ? ORDER BY bucket DESC";
    private static final String LIVE_RUNS = "SELECT run_id, submitted_at FROM run_live WHERE bucket = ? AND shard = ?";

    private final Cassandra cassandra;
    /** The version of the list that writes these rows. */
    private final int version;

    private final Set<String> knownBuckets = Collections.synchronizedSet(Collections.newSetFromMap(newest()));

    RunIndexTables(Cassandra cassandra, int version) {
        this.cassandra = cassandra;
        this.version = version;
    }

    private static Map<String, Boolean> newest() {
        return new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                return size() > KNOWN_BUCKETS_MAX;
            }
        };
    }

    /**
     * A run's position in every list.
     *
     * @param submittedMicros when it was submitted, in microseconds since 1970
     */
    record Place(long submittedMicros, String run) implements Comparable<Place> {
        /** Newest first. */
        @Override
        public int compareTo(Place other) {
            int bySubmission = Long.compare(other.submittedMicros, submittedMicros);
            return bySubmission != 0 ? bySubmission : other.run.compareTo(run);
        }

        long bucket() {
            return bucketOf(submittedMicros);
        }
    }

    static long micros(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    static long bucketOf(long micros) {
        return Math.floorDiv(micros, BUCKET_MICROS);
    }

    static String outcome(RunStatus status) {
        return "outcome:" + status.name();
    }

    /** The label as a key: ASCII JSON, because a label may contain text that UTF-8 cannot represent. */
    static String label(String name, String value) {
        return "label:" + json(Map.of(name, value));
    }

    // ---- writing

    /**
     * Writes the rows by which a run is found, before its first event is committed: whatever happens to the node, the
     * run is in the lists once it is projected, and among the live runs that the sweep rechecks.
     */
    CompletionStage<Done> announce(RunId run, Instant submittedAt, RunSpec spec) {
        Place place = new Place(micros(submittedAt), run.value());
        List<CompletionStage<Done>> writes = new ArrayList<>();
        writes.add(index(TIME, place));
        RunList.labels(spec).forEach((name, value) -> writes.add(index(label(name, value), place)));
        writes.add(announce(LIVE, INSERT_LIVE, place));
        writes.add(announce(PENDING, INSERT_PENDING, place));
        return Cassandra.all(writes).thenApply(done -> Done.getInstance());
    }

    /** Once it completes, the sequencer will find an act, even if nobody tells it. */
    CompletionStage<Done> announceAct(RunId act, Instant at) {
        return announce(PENDING, INSERT_PENDING, new Place(micros(at), act.value()));
    }

    private CompletionStage<Done> announce(String key, String insert, Place place) {
        return bucket(key, place.bucket())
                .thenCompose(done -> cassandra.write(
                        "announce run " + place.run(),
                        insert,
                        place.bucket(),
                        shard(place.run()),
                        place.run(),
                        place.submittedMicros()));
    }

    private CompletionStage<Done> index(String key, Place place) {
        return bucket(key, place.bucket())
                .thenCompose(done -> cassandra.write(
                        "list run " + place.run(),
                        INSERT_INDEX,
                        key,
                        place.bucket(),
                        place.submittedMicros(),
                        place.run()));
    }

    private CompletionStage<Done> bucket(String key, long bucket) {
        String name = bucket + " " + key;
        if (knownBuckets.contains(name)) {
            return CompletableFuture.completedFuture(Done.getInstance());
        }
        return cassandra
                .write("list runs under " + key, INSERT_BUCKET, key, bucket)
                .thenApply(done -> {
                    knownBuckets.add(name);
                    return done;
                });
    }

    /**
     * Writes a row.
     *
     * @param json its content, as {@link RunList#write} gives it
     */
    CompletionStage<Done> write(Row<RunView> row, String json) {
        RunView view = row.content();
        Place place = new Place(micros(view.submittedAt()), view.id().value());
        CompletionStage<Done> viewed = cassandra.write(
                "list run " + view.id(),
                INSERT_VIEW,
                place.run(),
                row.seq(),
                json(RunList.labels(view)),
                json,
                firstTimestamp(place) + row.seq());
        return view.status().isTerminal()
                ? viewed.thenCompose(done -> index(outcome(view.status()), place))
                        .thenCompose(done -> forgetLive(place))
                : viewed;
    }

    /** Rows of a newer version replace those of an older one; those of one version are ordered by their numbers. */
    private long firstTimestamp(Place place) {
        return place.submittedMicros() + (version - 1) * VERSION_MICROS;
    }

    /** Removes a run from the live runs. */
    CompletionStage<Done> forgetLive(Place place) {
        return cassandra.write("list runs", DELETE_LIVE, place.bucket(), shard(place.run()), place.run());
    }

    /** Removes a run from those that may have events without a position. */
    CompletionStage<Done> forgetPending(Place place) {
        return cassandra.write("order events", DELETE_PENDING, place.bucket(), shard(place.run()), place.run());
    }

    /** Removes an hour from those with live runs; only for hours that can get no new ones. */
    CompletionStage<Done> forgetLiveBucket(long bucket) {
        knownBuckets.remove(bucket + " " + LIVE);
        return cassandra.write("list runs", DELETE_BUCKET, LIVE, bucket);
    }

    private static int shard(String run) {
        return Math.floorMod(run.hashCode(), LIVE_SHARDS);
    }

    /** Records the version of the list that all rows are from. */
    CompletionStage<Done> completed(String projection) {
        return cassandra.write("list runs", INSERT_VERSION, projection, version);
    }

    // ---- reading

    /** Whether all rows are from another version of the list. */
    CompletionStage<Boolean> isOfOtherVersion(String projection) {
        return cassandra
                .rows("list runs", SELECT_VERSION, projection)
                .thenApply(rows ->
                        rows.stream().map(row -> row.getInt(0)).findFirst().orElse(1) != version);
    }

    /** The runs under a key that were submitted in an hour, a page at a time. */
    CompletionStage<AsyncResultSet> runs(String key, long bucket) {
        return cassandra.page("list runs", RUNS_A_PAGE, RUNS, key, bucket);
    }

    /** A run as it is listed, whatever version wrote it. */
    CompletionStage<Optional<RunView>> view(String run) {
        return cassandra.rows("list runs", VIEW, run).thenApply(rows -> rows.stream()
                .findFirst()
                .map(row -> RunList.read(String.valueOf(row.getString(1)))));
    }

    /** The row of a run, if it was written by this version of the list. */
    CompletionStage<Optional<Row<RunView>>> row(RunId run) {
        return cassandra
                .rows("list run " + run, VIEW, run.value())
                .thenApply(rows -> rows.stream().findFirst().flatMap(found -> {
                    long seq = found.getLong(0);
                    RunView view = RunList.read(String.valueOf(found.getString(1)));
                    Place place = new Place(micros(view.submittedAt()), run.value());
                    return found.getLong(2) == firstTimestamp(place) + seq
                            ? Optional.of(new Row<>(seq, view))
                            : Optional.empty();
                }));
    }

    /** The hours in which the key has rows, newest first. */
    CompletionStage<List<Long>> buckets(String key, long from, long to) {
        return cassandra
                .rows("list runs", BUCKETS, key, from, to)
                .thenApply(rows -> rows.stream().map(row -> row.getLong(0)).toList());
    }

    /** All runs that were submitted in an hour, newest first. */
    CompletionStage<List<RunId>> allRuns(long bucket) {
        return cassandra.rows("list runs", RUNS, TIME, bucket).thenApply(rows -> rows.stream()
                .map(row -> new RunId(String.valueOf(row.getString(0))))
                .toList());
    }

    /** Whether all runs have once been gone through for a purpose. */
    CompletionStage<Boolean> isWalked(String purpose) {
        return cassandra.rows("list runs", SELECT_VERSION, purpose).thenApply(rows -> !rows.isEmpty());
    }

    /** Records that all runs have been gone through for a purpose. */
    CompletionStage<Done> walked(String purpose) {
        return cassandra.write("list runs", INSERT_VERSION, purpose, 1);
    }

    /** The live runs that were submitted in an hour, newest first. */
    CompletionStage<List<Place>> live(long bucket) {
        return places(LIVE_RUNS, bucket);
    }

    /** The runs of an hour that may have events without a position, newest first. */
    CompletionStage<List<Place>> pending(long bucket) {
        return places(PENDING_RUNS, bucket);
    }

    private CompletionStage<List<Place>> places(String query, long bucket) {
        List<CompletionStage<List<com.datastax.oss.driver.api.core.cql.Row>>> shards = new ArrayList<>();
        for (int shard = 0; shard < LIVE_SHARDS; shard++) {
            shards.add(cassandra.rows("list runs", query, bucket, shard));
        }
        return Cassandra.all(shards).thenApply(read -> read.stream()
                .flatMap(List::stream)
                .map(row -> new Place(row.getLong(1), String.valueOf(row.getString(0))))
                .sorted()
                .toList());
    }

    private static String json(Object value) {
        try {
            return JournalJson.MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException notWritable) {
            throw new IllegalStateException("Views and labels have a JSON form.", notWritable);
        }
    }
}
