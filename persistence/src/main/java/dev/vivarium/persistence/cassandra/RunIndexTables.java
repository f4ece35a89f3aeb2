package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
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
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The tables behind the list of runs.
 *
 * <pre>
 * run_view    (run)                            the run as the API shows it; the only one that changes with the run
 * run_index   (key, hour), submission, run     written once: under "time", under each label, under how it ended
 * run_live    (hour, shard), run               from before its first event until its last one is projected
 * run_bucket  (key), hour                      the hours in which a key has any rows
 * </pre>
 *
 * <p>A partition holds an hour of one key, so none grows without bound, and reading newest first visits no hour in which
 * there is nothing. Only {@code run_live} sees deletions: a run's one row, when it has ended.
 *
 * <p>Everything is idempotent. Writes of a view carry a timestamp that is the run's submission plus the number of its last
 * event, so that of two projections at once the one that knows less never wins.
 */
final class RunIndexTables {
    static final String TIME = "time";
    static final String LIVE = "live";

    /** Partitions among which the live runs of an hour are spread. */
    static final int LIVE_SHARDS = 8;

    private static final long BUCKET_MICROS = Duration.ofHours(1).toMillis() * 1_000;
    private static final int KNOWN_BUCKETS_MAX = 10_000;

    private static final String INSERT_BUCKET = "INSERT INTO run_bucket (key, bucket) VALUES (?, ?)";
    private static final String INSERT_INDEX =
            "INSERT INTO run_index (key, bucket, submitted_at, run_id) VALUES (?, ?, ?, ?)";
    private static final String INSERT_LIVE =
            "INSERT INTO run_live (bucket, shard, run_id, submitted_at) VALUES (?, ?, ?, ?)";
    private static final String DELETE_LIVE = "DELETE FROM run_live WHERE bucket = ? AND shard = ? AND run_id = ?";
    private static final String DELETE_BUCKET = "DELETE FROM run_bucket WHERE key = ? AND bucket = ?";
    private static final String INSERT_VIEW =
            "INSERT INTO run_view (run_id, seq, labels, run) VALUES (?, ?, ?, ?) USING TIMESTAMP ?";
    private static final String VIEW = "SELECT labels, run FROM run_view WHERE run_id = ?";
    private static final String BUCKETS =
            "SELECT bucket FROM run_bucket WHERE key = ? AND bucket >= ? AND bucket <= ? ORDER BY bucket DESC";
    private static final String LIVE_RUNS = "SELECT run_id, submitted_at FROM run_live WHERE bucket = ? AND shard = ?";

    /** A newer node may have written more than this one knows; what this one needs is still there. */
    private static final ObjectReader READER =
            JournalJson.MAPPER.readerFor(RunView.class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private final Cassandra cassandra;
    private final Set<String> knownBuckets = Collections.synchronizedSet(Collections.newSetFromMap(newest()));

    RunIndexTables(Cassandra cassandra) {
        this.cassandra = cassandra;
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
     * A run's place in every list.
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

    /** What {@code run_view} holds of a run. */
    record Viewed(Map<String, String> labels, RunView view) {}

    static long micros(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    static long bucketOf(long micros) {
        return Math.floorDiv(micros, BUCKET_MICROS);
    }

    static String outcome(RunStatus status) {
        return "outcome:" + status.name();
    }

    /** The label as a key; JSON in ASCII, because a label may hold what no UTF-8 can. */
    static String label(String name, String value) {
        return "label:" + json(Map.of(name, value));
    }

    /** The labels that a run is found by: its own, and its tenant's. */
    static Map<String, String> labels(RunSpec spec) {
        Map<String, String> labels = new TreeMap<>(spec.labels());
        labels.put(RunSpec.TENANT_LABEL, spec.tenant());
        return labels;
    }

    // ---- writing

    /**
     * Writes what a run is found by, before its first event counts: so whatever becomes of the node, the run is in the
     * lists as soon as somebody has projected it, and among the live ones for those who look for forgotten work.
     */
    CompletionStage<Done> announce(RunId run, Instant submittedAt, RunSpec spec) {
        Place place = new Place(micros(submittedAt), run.value());
        List<CompletionStage<Done>> writes = new ArrayList<>();
        writes.add(index(TIME, place));
        labels(spec).forEach((name, value) -> writes.add(index(label(name, value), place)));
        writes.add(bucket(LIVE, place.bucket())
                .thenCompose(done -> cassandra.write(
                        "announce run " + run,
                        INSERT_LIVE,
                        place.bucket(),
                        shard(place.run()),
                        place.run(),
                        place.submittedMicros())));
        return Cassandra.all(writes).thenApply(done -> Done.getInstance());
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

    /** Writes a run as its first {@code seq} events have made it. */
    CompletionStage<Done> write(RunState.Existing state, long seq) {
        RunView view = RunView.of(state);
        Place place = new Place(micros(view.submittedAt()), view.id().value());
        String labels = json(labels(state.submission().spec()));
        CompletionStage<Done> viewed = cassandra.write(
                "list run " + view.id(),
                INSERT_VIEW,
                place.run(),
                seq,
                labels,
                json(view),
                place.submittedMicros() + seq);
        return view.status().isTerminal()
                ? viewed.thenCompose(done -> index(outcome(view.status()), place))
                        .thenCompose(done -> forgetLive(place))
                : viewed;
    }

    /** Takes a run from the live ones. */
    CompletionStage<Done> forgetLive(Place place) {
        return cassandra.write("list runs", DELETE_LIVE, place.bucket(), shard(place.run()), place.run());
    }

    /** Takes an hour from those that have live runs; to be called only for one that can get no new ones. */
    CompletionStage<Done> forgetLiveBucket(long bucket) {
        knownBuckets.remove(bucket + " " + LIVE);
        return cassandra.write("list runs", DELETE_BUCKET, LIVE, bucket);
    }

    private static int shard(String run) {
        return Math.floorMod(run.hashCode(), LIVE_SHARDS);
    }

    // ---- reading

    CompletionStage<Optional<Viewed>> view(String run) {
        return cassandra.rows("list runs", VIEW, run).thenApply(rows -> rows.stream()
                .findFirst()
                .map(row -> new Viewed(labels(row), read(String.valueOf(row.getString(1))))));
    }

    /** The hours in which the key has rows, newest first. */
    CompletionStage<List<Long>> buckets(String key, long from, long to) {
        return cassandra
                .rows("list runs", BUCKETS, key, from, to)
                .thenApply(rows -> rows.stream().map(row -> row.getLong(0)).toList());
    }

    /** The live runs that were submitted in an hour, newest first. */
    CompletionStage<List<Place>> live(long bucket) {
        List<CompletionStage<List<Row>>> shards = new ArrayList<>();
        for (int shard = 0; shard < LIVE_SHARDS; shard++) {
            shards.add(cassandra.rows("list runs", LIVE_RUNS, bucket, shard));
        }
        return Cassandra.all(shards).thenApply(read -> read.stream()
                .flatMap(List::stream)
                .map(row -> new Place(row.getLong(1), String.valueOf(row.getString(0))))
                .sorted()
                .toList());
    }

    @SuppressWarnings("unchecked") // what json(Map<String, String>) wrote
    private static Map<String, String> labels(Row row) {
        try {
            return JournalJson.MAPPER.readValue(String.valueOf(row.getString(0)), Map.class);
        } catch (JsonProcessingException unreadable) {
            throw new IllegalStateException("The index holds labels that this node cannot read.", unreadable);
        }
    }

    private static RunView read(String json) {
        try {
            return READER.readValue(json);
        } catch (JsonProcessingException unreadable) {
            throw new IllegalStateException("The index holds a run that this node cannot read.", unreadable);
        }
    }

    private static String json(Object value) {
        try {
            return JournalJson.MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException notWritable) {
            throw new IllegalStateException("Views and labels have a JSON form.", notWritable);
        }
    }
}
