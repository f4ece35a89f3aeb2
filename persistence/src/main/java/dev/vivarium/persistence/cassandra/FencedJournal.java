package dev.vivarium.persistence.cassandra;

import com.typesafe.config.Config;
import dev.vivarium.persistence.cassandra.JournalFence.Offer;
import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.UnreadableEntry;
import dev.vivarium.persistence.store.OpenStores;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.Done;
import org.apache.pekko.persistence.AtomicWrite;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.persistence.cassandra.journal.CassandraJournal;
import org.jspecify.annotations.Nullable;
import scala.Function1;
import scala.collection.immutable.Seq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;
import scala.runtime.BoxedUnit;
import scala.util.Try;

/**
 * The journal plugin with a fence: of two writers of one journal, the second gets an error; see {@link JournalFence}.
 * It also passes changes on to the list of runs: a new run is announced before it exists, and every change is passed on
 * after it is durable, so that the list can find the run after a crash in between.
 *
 * <p>An actor created by Pekko Persistence, one per actor system; it finds its node's open store by the number in its
 * configuration, and owns nothing.
 */
public final class FencedJournal extends CassandraJournal {
    /** The plugin's setting with the number of the open store. */
    static final String STORE = "vivarium-store";

    private final JournalFence fence;
    private final RunIndexTables tables;
    private final ChangedRuns changed;
    private final CassandraAudit audit;
    private final Map<String, CompletionStage<?>> committing = new ConcurrentHashMap<>();

    /** Called by Pekko Persistence. */
    public FencedJournal(Config plugin, String path) {
        super(plugin, path);
        CassandraStore store = OpenStores.get(plugin.getLong(STORE), CassandraStore.class);
        this.fence = store.fence();
        this.tables = store.tables();
        this.changed = store.changed();
        this.audit = store.auditTables();
    }

    @Override
    public Future<Seq<Try<BoxedUnit>>> asyncWriteMessages(Seq<AtomicWrite> writes) {
        List<PersistentRepr> entries = new ArrayList<>();
        for (AtomicWrite write : CollectionConverters.asJava(writes)) {
            entries.addAll(CollectionConverters.asJava(write.payload()));
        }
        String journal = entries.get(0).persistenceId();
        Optional<RunId> run = RunPersistenceId.parse(journal);
        Optional<RunId> chain = ChainPersistenceId.parse(journal);
        CompletionStage<Done> announced = announce(chain, entries.get(0));
        CompletionStage<Seq<Try<BoxedUnit>>> written = FutureConverters.asJava(super.asyncWriteMessages(writes));
        List<Offer> offers = entries.stream()
                .map(entry -> new Offer(entry.sequenceNr(), entry.writerUuid()))
                .toList();
        CompletionStage<Seq<Try<BoxedUnit>>> committed = announced
                .thenCombine(written, (done, answer) -> answer)
                .thenCompose(answer -> fence.commit(journal, offers).thenApply(done -> answer));
        committing.put(journal, committed);
        return FutureConverters.asScala(committed.whenComplete((answer, failed) -> {
            committing.remove(journal, committed);
            run.ifPresent(one -> {
                if (failed == null) {
                    committed(one, entries);
                } else {
                    // The commit's outcome may be unknown.
                    changed.unsettled(one);
                }
            });
            chain.ifPresent(audit::written);
        }));
    }

    private void committed(RunId run, List<PersistentRepr> entries) {
        List<JournalEntry> ours = entries.stream()
                .map(PersistentRepr::payload)
                .filter(JournalEntry.class::isInstance)
                .map(JournalEntry.class::cast)
                .toList();
        if (ours.size() == entries.size()) {
            changed.committed(run, entries.get(0).sequenceNr(), ours);
        } else {
            changed.unsettled(run);
        }
    }

    /** Once it completes, the run whose first entry is being written, or the act that is, can be found. */
    private CompletionStage<Done> announce(Optional<RunId> chain, PersistentRepr first) {
        if (chain.isEmpty() || first.sequenceNr() != 1 || !(first.payload() instanceof JournalEntry entry)) {
            return CompletableFuture.completedFuture(Done.getInstance());
        }
        if (ChainPersistenceId.isAct(chain.get())) {
            return act(entry)
                    .map(act -> tables.announceAct(chain.get(), act.at()))
                    .orElseGet(() -> CompletableFuture.completedFuture(Done.getInstance()));
        }
        return submission(entry) instanceof RunEvent.RunSubmitted submitted
                ? tables.announce(chain.get(), submitted.at(), submitted.spec())
                : CompletableFuture.completedFuture(Done.getInstance());
    }

    private static Optional<Act> act(JournalEntry entry) {
        try {
            return Optional.of(ActCodec.decode(entry));
        } catch (UnreadableEntry unknown) {
            return Optional.empty();
        }
    }

    /** An unreadable entry is not announced; the journal stores it all the same. */
    private static @Nullable RunEvent submission(JournalEntry first) {
        try {
            return EventCodec.standard().decode(first);
        } catch (UnreadableEntry unknown) {
            return null;
        }
    }

    @Override
    public Future<Object> asyncReadHighestSequenceNr(String journal, long fromSeq) {
        CompletionStage<?> before = committing.getOrDefault(journal, CompletableFuture.completedFuture(true));
        return FutureConverters.asScala(before.handle((done, failed) -> true)
                .thenCompose(settled -> fence.head(journal))
                .thenApply(head -> Math.max(fromSeq, head)));
    }

    /**
     * Replays committed entries. The plugin stops at the first row of the last number, which need not be the committed
     * one, so it is asked for one number more.
     */
    @Override
    public Future<BoxedUnit> asyncReplayMessages(
            String journal, long fromSeq, long toSeq, long max, Function1<PersistentRepr, BoxedUnit> callback) {
        return FutureConverters.asScala(fence.writers(journal, fromSeq, toSeq).thenCompose(writers -> {
            Replay replay = new Replay(writers, max, callback);
            long beyond = toSeq == Long.MAX_VALUE ? toSeq : toSeq + 1;
            return FutureConverters.asJava(
                            super.asyncReplayMessages(journal, fromSeq, beyond, Long.MAX_VALUE, replay::offered))
                    .thenApply(done -> {
                        RunPersistenceId.parse(journal).ifPresent(run -> {
                            replay.requireWhole(run);
                            changed.recovered(run);
                            audit.written(run);
                        });
                        return done;
                    });
        }));
    }

    @Override
    public Future<BoxedUnit> asyncDeleteMessagesTo(String journal, long toSeq) {
        return FutureConverters.asScala(FutureConverters.asJava(super.asyncDeleteMessagesTo(journal, toSeq))
                .thenCompose(deleted -> fence.head(journal)
                        // Never beyond the head: a deletion must not affect future entries.
                        .thenCompose(head -> fence.forget(journal, Math.min(toSeq, head)))
                        .thenApply(forgotten -> deleted)));
    }

    /** One replay: passes the committed rows on and counts them. Used by one thread at a time. */
    private static final class Replay {
        private final Map<Long, String> writers;
        private final long max;
        private final Function1<PersistentRepr, BoxedUnit> callback;
        private long passed;

        Replay(Map<Long, String> writers, long max, Function1<PersistentRepr, BoxedUnit> callback) {
            this.writers = writers;
            this.max = max;
            this.callback = callback;
        }

        BoxedUnit offered(PersistentRepr entry) {
            if (passed < max && entry.writerUuid().equals(writers.get(entry.sequenceNr()))) {
                passed++;
                callback.apply(entry);
            }
            return BoxedUnit.UNIT;
        }

        /** A run's entries are never deleted: if committed ones are missing, the store has lost them. */
        void requireWhole(RunId run) {
            if (passed < Math.min(max, writers.size())) {
                throw new IllegalStateException("The journal of run " + run + " has " + passed + " of the "
                        + writers.size() + " entries that were committed.");
            }
        }
    }
}
