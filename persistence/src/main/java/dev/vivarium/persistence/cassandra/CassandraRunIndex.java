package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import dev.vivarium.persistence.cassandra.RunIndexTables.Place;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.store.RunCursor;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Queries {@link RunIndexTables}: chooses lists that contain every possible match, merges them newest first, and
 * filters by the runs' views.
 *
 * <p>Live runs are few, so a query for them walks the live list; a query with labels walks one label's list (the
 * tenant's only when there is no other label); a query for outcomes walks their lists; any other query walks the list
 * by time. A page that has inspected {@link #LOOKED_AT_MAX} runs ends early with a cursor: it may be short, or empty.
 */
final class CassandraRunIndex implements RunIndex {
    /** The most runs per page. */
    private static final int LIMIT_MAX = 500;

    static final int LOOKED_AT_MAX = 5_000;

    private static final int ROWS_A_PAGE = 200;
    private static final int VIEWS_AT_ONCE = 100;

    private static final String PLACES = "SELECT submitted_at, run_id FROM run_index WHERE key = ? AND bucket = ?"
            + " AND (submitted_at, run_id) < (?, ?) AND (submitted_at) >= (?)"
            + " ORDER BY submitted_at DESC, run_id DESC";

    /** Newer than every run: where newest first begins. */
    private static final Place BEGINNING = new Place(Long.MAX_VALUE, "");

    private final Cassandra cassandra;
    private final RunIndexTables tables;

    CassandraRunIndex(Cassandra cassandra, RunIndexTables tables) {
        this.cassandra = cassandra;
        this.tables = tables;
    }

    /** The part of a list that a query covers: newer than {@code since}, older than {@code after}. */
    private record Window(Place after, long sinceMicros) {
        boolean holds(Place place) {
            return place.compareTo(after) > 0 && place.submittedMicros() >= sinceMicros;
        }

        long newestBucket() {
            return after.bucket();
        }

        long oldestBucket() {
            return RunIndexTables.bucketOf(sinceMicros);
        }
    }

    @Override
    public CompletionStage<RunPage> find(Query query) {
        if (query.limit() < 1 || query.limit() > LIMIT_MAX) {
            return CompletableFuture.failedFuture(
                    new IllegalArgumentException("The limit must be from 1 to " + LIMIT_MAX + "."));
        }
        Optional<RunCursor> cursor;
        try {
            cursor = query.cursor().map(RunCursor::decode);
        } catch (BadCursor refused) {
            return CompletableFuture.failedFuture(refused);
        }
        Window window = new Window(
                cursor.map(CassandraRunIndex::place).orElse(BEGINNING),
                query.since()
                        .map(since -> Math.max(0, RunIndexTables.micros(since)))
                        .orElse(0L));
        return cassandra.work("list runs", () -> page(query, window));
    }

    private static Place place(RunCursor cursor) {
        return new Place(
                RunIndexTables.micros(cursor.submittedAt()), cursor.run().value());
    }

    private RunPage page(Query query, Window window) {
        Iterator<Place> places = new Merged(lists(query, window));
        List<RunView> found = new ArrayList<>();
        Place last = window.after();
        for (int lookedAt = 0; lookedAt < LOOKED_AT_MAX && places.hasNext(); ) {
            List<Place> some = some(places, Math.min(VIEWS_AT_ONCE, query.limit() + 1));
            lookedAt += some.size();
            List<Optional<RunView>> views = Cassandra.await(Cassandra.all(
                    some.stream().map(place -> tables.view(place.run())).toList()));
            for (int i = 0; i < some.size(); i++) {
                if (!matches(query, some.get(i), views.get(i))) {
                    last = found.size() < query.limit() ? some.get(i) : last;
                    continue;
                }
                if (found.size() == query.limit()) {
                    return new RunPage(found, Optional.of(cursor(last)));
                }
                last = some.get(i);
                found.add(views.get(i).orElseThrow());
            }
        }
        return new RunPage(found, places.hasNext() ? Optional.of(cursor(last)) : Optional.empty());
    }

    private static List<Place> some(Iterator<Place> places, int count) {
        List<Place> some = new ArrayList<>();
        while (some.size() < count && places.hasNext()) {
            some.add(places.next());
        }
        return some;
    }

    /**
     * A place without a view belongs to a submission in flight or a failed one; one with another time, to a failed one.
     */
    private static boolean matches(Query query, Place place, Optional<RunView> viewed) {
        return viewed.filter(run -> RunIndexTables.micros(run.submittedAt()) == place.submittedMicros()
                        && (query.statuses().isEmpty() || query.statuses().contains(run.status()))
                        && RunList.labels(run)
                                .entrySet()
                                .containsAll(query.labels().entrySet()))
                .isPresent();
    }

    private static String cursor(Place place) {
        Instant submittedAt = Instant.EPOCH.plus(place.submittedMicros(), ChronoUnit.MICROS);
        return new RunCursor(submittedAt, new RunId(place.run())).encode();
    }

    /** Lists that together contain every possible match. */
    private List<Iterator<Place>> lists(Query query, Window window) {
        boolean someLive = query.statuses().stream().anyMatch(status -> !status.isTerminal());
        boolean allLive = someLive && query.statuses().stream().noneMatch(RunStatus::isTerminal);
        if (allLive) {
            return List.of(new LiveList(window));
        }
        Optional<Map.Entry<String, String>> label = query.labels().entrySet().stream()
                .min(Comparator.comparing(entry -> entry.getKey().equals(RunSpec.TENANT_LABEL)));
        if (label.isPresent()) {
            String key = RunIndexTables.label(label.get().getKey(), label.get().getValue());
            return List.of(new IndexList(key, window));
        }
        if (query.statuses().isEmpty()) {
            return List.of(new IndexList(RunIndexTables.TIME, window));
        }
        List<Iterator<Place>> lists = new ArrayList<>();
        query.statuses().stream()
                .filter(RunStatus::isTerminal)
                .forEach(status -> lists.add(new IndexList(RunIndexTables.outcome(status), window)));
        if (someLive) {
            lists.add(new LiveList(window));
        }
        return lists;
    }

    /** A list read hour by hour. Blocks. */
    private abstract class HourlyList implements Iterator<Place> {
        private final Deque<Place> read = new ArrayDeque<>();
        private final Iterator<Long> hours;

        HourlyList(String key, Window window) {
            this.hours = Cassandra.await(tables.buckets(key, window.oldestBucket(), window.newestBucket()))
                    .iterator();
        }

        @Override
        public boolean hasNext() {
            while (read.isEmpty()) {
                List<Place> more = moreOfThisHour();
                if (more.isEmpty()) {
                    if (!hours.hasNext()) {
                        return false;
                    }
                    more = hour(hours.next());
                }
                read.addAll(more);
            }
            return true;
        }

        @Override
        public Place next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return read.remove();
        }

        /** The runs of an hour, newest first. */
        abstract List<Place> hour(long bucket);

        abstract List<Place> moreOfThisHour();
    }

    /** The runs under one key of {@code run_index}. */
    private final class IndexList extends HourlyList {
        private final String key;
        private final Window window;
        private Optional<AsyncResultSet> page = Optional.empty();

        IndexList(String key, Window window) {
            super(key, window);
            this.key = key;
            this.window = window;
        }

        @Override
        List<Place> hour(long bucket) {
            return places(Cassandra.await(cassandra.page(
                    "list runs",
                    ROWS_A_PAGE,
                    PLACES,
                    key,
                    bucket,
                    window.after().submittedMicros(),
                    window.after().run(),
                    window.sinceMicros())));
        }

        @Override
        List<Place> moreOfThisHour() {
            return page.filter(AsyncResultSet::hasMorePages)
                    .map(current -> places(Cassandra.await(current.fetchNextPage())))
                    .orElse(List.of());
        }

        private List<Place> places(AsyncResultSet read) {
            page = Optional.of(read);
            List<Place> places = new ArrayList<>();
            read.currentPage().forEach(row -> places.add(new Place(row.getLong(0), String.valueOf(row.getString(1)))));
            return places;
        }
    }

    /** The live runs, and some that ended just now. */
    private final class LiveList extends HourlyList {
        private final Window window;

        LiveList(Window window) {
            super(RunIndexTables.LIVE, window);
            this.window = window;
        }

        @Override
        List<Place> hour(long bucket) {
            return Cassandra.await(tables.live(bucket)).stream()
                    .filter(window::holds)
                    .toList();
        }

        @Override
        List<Place> moreOfThisHour() {
            return List.of();
        }
    }

    /** Several lists merged, newest first, each run once. */
    private static final class Merged implements Iterator<Place> {
        private record Head(Place place, Iterator<Place> rest) {}

        private final PriorityQueue<Head> heads = new PriorityQueue<>(Comparator.comparing(Head::place));

        Merged(List<Iterator<Place>> lists) {
            lists.forEach(this::advance);
        }

        private void advance(Iterator<Place> list) {
            if (list.hasNext()) {
                heads.add(new Head(list.next(), list));
            }
        }

        @Override
        public boolean hasNext() {
            return !heads.isEmpty();
        }

        @Override
        public Place next() {
            Place next = heads.element().place();
            while (!heads.isEmpty() && heads.element().place().equals(next)) {
                advance(heads.remove().rest());
            }
            return next;
        }
    }
}
