package dev.vivarium.persistence.follow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** The follower on an in-memory feed, step by step, with a projection that counts events. */
class JournalFollowerTest {
    private static final EventCodec CODEC = EventCodec.standard();

    private final RunId run = Fixtures.run(1);
    private final RunId other = Fixtures.run(2);
    private final TestClock clock = new TestClock();
    private final MemoryFeed feed = new MemoryFeed(clock);
    private final JournalFollower<Integer> follower = new JournalFollower<>(new Counting(), feed, CODEC, clock);

    @Test
    void eachEntryIsReadAndAppliedOnce() {
        feed.write(run, entries(run, 2));
        follower.round();
        feed.write(run, entries(run, 4).subList(2, 4));
        follower.round();

        assertThat(feed.rows.get(run)).isEqualTo(new Row<>(4, 4));
        assertThat(feed.readAlone).isEmpty();
    }

    @Test
    void aFailedStepIsRepeatedWithoutSkippingEntries() {
        feed.write(run, entries(run, 2));
        feed.away = true;
        assertThatThrownBy(follower::round).isInstanceOf(StoreUnavailable.class);

        feed.away = false;
        follower.round();

        assertThat(feed.rows.get(run)).isEqualTo(new Row<>(2, 2));
    }

    @Test
    void lagIsTheTimeSinceTheRowsWereLastComplete() {
        follower.round();
        clock.now = clock.now.plusSeconds(5);
        feed.away = true;
        assertThatThrownBy(follower::round).isInstanceOf(StoreUnavailable.class);
        assertThat(follower.lag()).isEqualTo(Duration.ofSeconds(5));

        feed.away = false;
        follower.round();

        assertThat(follower.lag()).isZero();
    }

    @Test
    void anUnreadableEntryIsRecordedAndCountedAndStopsNoOtherRun() {
        feed.write(run, List.of(newer()));
        feed.write(other, entries(other, 3));

        follower.round();

        assertThat(feed.rows).containsOnlyKeys(other);
        assertThat(feed.recorded).containsExactly(run);
        assertThat(follower.unreadable()).isEqualTo(1);
    }

    @Test
    void aRunRecordedAsUnreadableIsUpdatedByANodeThatCanReadIt() {
        // given: an entry that an older node could not read
        feed.write(run, List.of(newer()));
        feed.write(other, entries(other, 1));
        follower.round();
        // when: the next version reads the same journal
        feed.journal.put(run, stored(entries(run, 3)));
        JournalFollower<Integer> upgraded = new JournalFollower<>(new Counting(), feed, CODEC, clock);
        upgraded.round();

        assertThat(feed.rows.get(run)).isEqualTo(new Row<>(3, 3));
        assertThat(feed.recorded).isEmpty();
        assertThat(upgraded.unreadable()).isZero();
        // and: the old node sees that, too
        clock.now = clock.now.plus(JournalFollower.LOOK_AGAIN).plusSeconds(1);
        follower.round();
        assertThat(follower.unreadable()).isZero();
    }

    @Test
    void aRunWithMissingEntriesIsRecordedAsUnreadable() {
        feed.write(run, entries(run, 3));
        feed.journal.put(run, stored(entries(run, 3)).subList(1, 3));
        feed.news.put(run, stored(entries(run, 3)).subList(2, 3));

        follower.round();

        assertThat(feed.recorded).containsExactly(run);
    }

    @Test
    void aStepTakenByAnotherNodeIsNotRepeated() {
        feed.write(run, List.of(newer()));
        feed.overtaken = true;

        assertThat(follower.round()).isEqualTo(JournalFeed.Rest.NOTHING_YET);

        assertThat(follower.unreadable()).isZero();
    }

    @Test
    void pendingRowsAreWrittenOnClose() {
        follower.start();
        feed.write(run, entries(run, 2));

        follower.close();

        assertThat(feed.rows.get(run)).isEqualTo(new Row<>(2, 2));
    }

    /** A projection that counts the events of each run. */
    private static final class Counting implements Projection<Integer> {
        @Override
        public String name() {
            return "counting";
        }

        @Override
        public int version() {
            return 1;
        }

        @Override
        public Integer after(Optional<Integer> before, RunEvent event) {
            return before.orElse(0) + 1;
        }
    }

    private List<JournalEntry> entries(RunId of, int count) {
        return JournalWriter.entries(of, Fixtures.success(of, Fixtures.NOON, Map.of()))
                .subList(0, count);
    }

    private static JournalEntry newer() {
        return new JournalEntry("RunTeleported", 1, Blob.ofUtf8("{}"), Blob.EMPTY, Blob.EMPTY);
    }

    private static List<StoredEntry> stored(List<JournalEntry> entries) {
        List<StoredEntry> stored = new ArrayList<>();
        entries.forEach(entry -> stored.add(new StoredEntry(stored.size() + 1L, entry)));
        return stored;
    }

    private static final class MemoryFeed implements JournalFeed<Integer> {
        private final Clock clock;
        private final Map<RunId, List<StoredEntry>> journal = new HashMap<>();
        private final Map<RunId, List<StoredEntry>> news = new LinkedHashMap<>();
        private final Map<RunId, Row<Integer>> rows = new HashMap<>();
        private final Set<RunId> recorded = new HashSet<>();
        private final List<RunId> readAlone = new ArrayList<>();
        private boolean away;
        private boolean overtaken;

        MemoryFeed(Clock clock) {
            this.clock = clock;
        }

        synchronized void write(RunId run, List<JournalEntry> entries) {
            List<StoredEntry> all = journal.computeIfAbsent(run, first -> new ArrayList<>());
            for (JournalEntry entry : entries) {
                StoredEntry stored = new StoredEntry(all.size() + 1L, entry);
                all.add(stored);
                news.computeIfAbsent(run, first -> new ArrayList<>()).add(stored);
            }
        }

        @Override
        public void prepare() {}

        @Override
        public synchronized Batch<Integer> next() {
            return new MemoryBatch(new LinkedHashMap<>(news));
        }

        @Override
        public synchronized Batch<Integer> look(Collection<RunId> runs) {
            Map<RunId, List<StoredEntry>> onlyInJournal = new LinkedHashMap<>();
            runs.forEach(run -> onlyInJournal.put(run, List.of()));
            return new MemoryBatch(onlyInJournal);
        }

        @Override
        public synchronized CompletionStage<List<StoredEntry>> entries(RunId run, long fromSeq) {
            readAlone.add(run);
            return CompletableFuture.completedFuture(journal.get(run).stream()
                    .filter(stored -> stored.seq() >= fromSeq)
                    .toList());
        }

        @Override
        public Set<RunId> unreadable() {
            return Set.copyOf(recorded);
        }

        private final class MemoryBatch implements Batch<Integer> {
            private final Map<RunId, List<StoredEntry>> taken;

            MemoryBatch(Map<RunId, List<StoredEntry>> taken) {
                this.taken = taken;
            }

            @Override
            public List<Change<Integer>> changes() {
                return taken.entrySet().stream()
                        .map(change -> new Change<>(
                                change.getKey(), Optional.ofNullable(rows.get(change.getKey())), change.getValue()))
                        .toList();
            }

            @Override
            public Rest rest() {
                return taken.isEmpty() ? Rest.NOTHING_YET : Rest.MORE;
            }

            @Override
            public Optional<Instant> completeAsOf() {
                return Optional.of(clock.instant());
            }

            @Override
            public Written write(List<Step<Integer>> steps, Set<RunId> readableAgain) {
                if (away) {
                    throw new StoreUnavailable("away", new IllegalStateException("away"));
                }
                if (overtaken) {
                    return Written.OVERTAKEN;
                }
                recorded.removeAll(readableAgain);
                for (Step<Integer> step : steps) {
                    step.row().ifPresent(row -> rows.put(step.run(), row));
                    if (step instanceof Step.Unreadable) {
                        recorded.add(step.run());
                    }
                    news.remove(step.run());
                }
                return Written.DONE;
            }
        }
    }

    private static final class TestClock extends Clock {
        private Instant now = Fixtures.NOON;

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
