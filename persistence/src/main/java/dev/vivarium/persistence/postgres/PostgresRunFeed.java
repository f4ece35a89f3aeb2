package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.follow.Change;
import dev.vivarium.persistence.follow.JournalFeed;
import dev.vivarium.persistence.follow.Projection;
import dev.vivarium.persistence.follow.Row;
import dev.vivarium.persistence.follow.Step;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal in a total order of all entries, and the rows of the list of runs.
 *
 * <p>Entries do not become visible in the order of their numbers: a transaction that took 7 may commit after one that
 * took 8, and a reader that continues after 8 never sees 7. Guessing how long such a gap may last (as polling by number
 * must) loses a run sooner or later. Here each entry has its transaction's id, and only entries of transactions older
 * than every running one are read ({@link SettledEntries}): no entry can appear before them any more, so the offset
 * (transaction, number) is exact. The price is that a long transaction delays the list, which the server bounds ({@code
 * idle_in_transaction_session_timeout}).
 *
 * <p>Rows and offset are written in one transaction, which first moves the offset conditionally from the value that was
 * read. This serializes several nodes on one database: a node whose offset is no longer the stored one drops its step.
 */
final class PostgresRunFeed implements JournalFeed<RunView> {
    private static final Logger log = LoggerFactory.getLogger(PostgresRunFeed.class);

    private final Database database;
    private final PostgresJournal journal;
    private final Projection<RunView> projection;
    private final KnownRuns known;
    private final Clock clock;
    /** Everything committed until {@link Mark#at} is settled when no transaction older than its horizon runs. */
    private Optional<Mark> mark = Optional.empty();

    private record Mark(Instant at, long horizon) {}

    PostgresRunFeed(
            Database database, PostgresJournal journal, Projection<RunView> projection, KnownRuns known, Clock clock) {
        this.database = database;
        this.journal = journal;
        this.projection = projection;
        this.known = known;
        this.clock = clock;
    }

    @Override
    public void prepare() {
        database.transactNow("prepare the list of runs", connection -> {
            SettledEntries entries = entries(connection);
            if (entries.begin() == SettledEntries.Beginning.OTHER_VERSION) {
                log.info("Rebuilding the list of runs from the journal, for {}.", name());
                RunRows.clear(connection);
            }
            adopt(entries);
            return true;
        });
    }

    /**
     * A database restored from a dump, or moved to another server, has transaction ids of the other server, which may
     * be ahead of this one's: such entries would never be settled, and new entries would never reach such an offset.
     */
    private static void adopt(SettledEntries entries) throws SQLException {
        long adopted = entries.adoptForeignTransactions();
        if (adopted > 0) {
            log.warn(
                    "{} entries or offsets were written on another server; following the journal from there.", adopted);
        }
    }

    private String name() {
        return projection.name() + "/" + projection.version();
    }

    private SettledEntries entries(Connection connection) {
        return new SettledEntries(
                connection,
                projection.name(),
                projection.version(),
                SettledEntries.ENTRIES_MAX,
                RunPersistenceId::parse);
    }

    @Override
    public Batch<RunView> next() {
        Instant started = clock.instant();
        return database.transactNow("follow the journal", connection -> {
            SettledEntries entries = entries(connection);
            SettledEntries.News news = entries.news();
            if (news.reach() == SettledEntries.Reach.FOREIGN) {
                adopt(entries);
                return new Changes(List.of(), news, Optional.empty());
            }
            return new Changes(changes(connection, news.entries()), news, completeAsOf(started, news));
        });
    }

    private Optional<Instant> completeAsOf(Instant started, SettledEntries.News news) {
        Optional<Instant> complete =
                switch (news.reach()) {
                    case ALL -> Optional.of(started);
                    case ALL_SETTLED -> mark.filter(last -> news.oldestRunning() >= last.horizon())
                            .map(Mark::at);
                    case MORE, FOREIGN -> Optional.empty();
                };
        if (mark.isEmpty() || complete.isPresent()) {
            mark = Optional.of(new Mark(started, news.nextTransaction()));
        }
        return complete;
    }

    private List<Change<RunView>> changes(Connection connection, Map<RunId, List<StoredEntry>> entries)
            throws SQLException {
        List<Change<RunView>> changes = new ArrayList<>();
        Map<RunId, List<StoredEntry>> unknown = new LinkedHashMap<>();
        entries.forEach((run, some) -> {
            Optional<Row<RunView>> row = some.isEmpty()
                    ? Optional.empty()
                    : known.take(run, some.get(some.size() - 1).seq());
            if (row.isPresent()) {
                changes.add(new Change<>(run, Optional.empty(), some, row));
            } else {
                unknown.put(run, some);
            }
        });
        Map<RunId, Row<RunView>> rows = RunRows.read(connection, unknown.keySet());
        unknown.forEach((run, some) -> changes.add(new Change<>(run, Optional.ofNullable(rows.get(run)), some)));
        return changes;
    }

    @Override
    public Batch<RunView> look(Collection<RunId> runs) {
        return database.transactNow("read runs again", connection -> {
            Map<RunId, Row<RunView>> rows = RunRows.read(connection, runs);
            return new Changes(
                    runs.stream()
                            .map(run -> new Change<>(run, Optional.ofNullable(rows.get(run)), List.of()))
                            .toList(),
                    SettledEntries.News.NONE,
                    Optional.empty());
        });
    }

    @Override
    public CompletionStage<List<StoredEntry>> entries(RunId run, long fromSeq) {
        return journal.entries(run, fromSeq);
    }

    @Override
    public Set<RunId> unreadable() {
        return database.transactNow("list the unreadable runs", RunRows::unreadable);
    }

    /** Entries after the offset, and where they end. */
    private final class Changes implements Batch<RunView> {
        private final List<Change<RunView>> changes;
        private final SettledEntries.News news;
        private final Optional<Instant> completeAsOf;

        Changes(List<Change<RunView>> changes, SettledEntries.News news, Optional<Instant> completeAsOf) {
            this.changes = changes;
            this.news = news;
            this.completeAsOf = completeAsOf;
        }

        @Override
        public List<Change<RunView>> changes() {
            return changes;
        }

        @Override
        public Rest rest() {
            // After less than a full step a pause: a run's next events then change its row once, and not each of them.
            return news.reach() == SettledEntries.Reach.MORE || news.reach() == SettledEntries.Reach.FOREIGN
                    ? Rest.MORE
                    : Rest.NOTHING_YET;
        }

        @Override
        public Optional<Instant> completeAsOf() {
            return completeAsOf;
        }

        @Override
        public Written write(List<Step<RunView>> steps, Set<RunId> readableAgain) {
            if (steps.isEmpty() && news.upTo().isEmpty()) {
                return Written.DONE;
            }
            return database.transactNow("write the list of runs", connection -> {
                if (news.upTo().isPresent()
                        && entries(connection).move(news.from(), news.upTo().get())
                                == SettledEntries.Move.OTHERS_WERE_FIRST) {
                    return Written.OVERTAKEN;
                }
                RunRows.write(connection, steps);
                RunRows.forgetUnreadable(connection, readableAgain);
                return Written.DONE;
            });
        }
    }
}
