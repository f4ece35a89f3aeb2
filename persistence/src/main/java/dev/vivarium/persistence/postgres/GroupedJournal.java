package dev.vivarium.persistence.postgres;

import com.typesafe.config.Config;
import dev.vivarium.persistence.journal.RememberingEntry;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.postgres.JournalWrite.JournalRow;
import dev.vivarium.persistence.store.OpenStores;
import dev.vivarium.protocol.run.Blob;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.persistence.AtomicWrite;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.persistence.journal.japi.AsyncWriteJournal;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.serialization.Serializers;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/**
 * The journal plugin for PostgreSQL: writes by {@link GroupCommit}, and reads by plain SQL. The fence is the table's key: a
 * number that was written twice is refused, and its second writer must read the journal again. Entries are never deleted.
 *
 * <p>An actor created by Pekko Persistence, one per actor system; it finds its node's open store by the number in its
 * configuration. Owns the {@link GroupCommit}, and shuts it down when it stops.
 */
public final class GroupedJournal extends AsyncWriteJournal {
    /** The plugin's setting with the number of the open store. */
    static final String STORE = "vivarium-store";

    private final Serialization serialization =
            SerializationExtension.get(context().system());
    private final JournalReplay replay;
    private final Beginnings beginnings;
    private final GroupCommit commit;
    /** Writes in progress, by journal: whoever reads it next waits for them. */
    private final Map<String, CompletionStage<Done>> writing = new ConcurrentHashMap<>();

    /** Called by Pekko Persistence. */
    public GroupedJournal(Config plugin) {
        PostgresStore store = OpenStores.get(plugin.getLong(STORE), PostgresStore.class);
        this.commit = store.groupCommit(limits(plugin));
        this.beginnings = store.beginnings();
        this.replay = new JournalReplay(store.database(), serialization);
    }

    private static GroupCommit.Limits limits(Config plugin) {
        return new GroupCommit.Limits(
                plugin.getInt("events-waiting-max"),
                plugin.getBytes("bytes-waiting-max"),
                plugin.getInt("group-events-max"),
                plugin.getDuration("write-max"),
                plugin.getDuration("close-max"));
    }

    @Override
    public Future<Iterable<Optional<Exception>>> doAsyncWriteMessages(Iterable<AtomicWrite> writes) {
        JournalWrite write = write(writes);
        CompletionStage<Done> written = commit.write(write);
        String journal = write.journal();
        writing.put(journal, written);
        CompletableFuture<Iterable<Optional<Exception>>> answer = new CompletableFuture<>();
        written.whenComplete((done, failure) -> {
            // Before Pekko hears of it, so that its next write or read finds none.
            writing.remove(journal, written);
            if (failure == null) {
                answer.complete(List.of());
            } else {
                answer.completeExceptionally(failure);
            }
        });
        return FutureConverters.asScala(answer);
    }

    /** All that an entity writes at once, which the database takes or refuses as one. */
    private JournalWrite write(Iterable<AtomicWrite> writes) {
        List<JournalRow> rows = new ArrayList<>();
        List<RememberingEntry> changes = new ArrayList<>();
        String journal = "";
        String writer = "";
        for (AtomicWrite write : writes) {
            for (PersistentRepr entry : CollectionConverters.asJava(write.payload())) {
                journal = entry.persistenceId();
                writer = entry.writerUuid();
                rows.add(row(entry));
                if (entry.payload() instanceof RememberingEntry change) {
                    changes.add(change);
                }
            }
        }
        return new JournalWrite(journal, writer, rows, changes);
    }

    private JournalRow row(PersistentRepr entry) {
        Object payload = entry.payload();
        Serializer serializer = serialization.findSerializerFor(payload);
        return new JournalRow(
                entry.sequenceNr(),
                entry.timestamp(),
                entry.manifest(),
                serializer.identifier(),
                Serializers.manifestFor(serializer, payload),
                Blob.of(serialization.serialize(payload).get()));
    }

    @Override
    public Future<Long> doAsyncReadHighestSequenceNr(String journal, long fromSeq) {
        if (RunPersistenceId.parse(journal).filter(beginnings::take).isPresent()) {
            return Future.successful(fromSeq);
        }
        return FutureConverters.asScala(settled(journal)
                .thenCompose(settled -> replay.last(journal))
                .thenApply(last -> Math.max(fromSeq, last)));
    }

    private CompletionStage<Boolean> settled(String journal) {
        CompletionStage<Done> before = writing.get(journal);
        return before == null ? CompletableFuture.completedStage(true) : before.handle((done, failure) -> true);
    }

    @Override
    public Future<Void> doAsyncReplayMessages(
            String journal, long fromSeq, long toSeq, long max, Consumer<PersistentRepr> callback) {
        return FutureConverters.asScala(replay.replay(journal, fromSeq, toSeq, max, callback));
    }

    @Override
    public Future<Void> doAsyncDeleteMessagesTo(String journal, long toSeq) {
        return FutureConverters.asScala(CompletableFuture.failedFuture(new UnsupportedOperationException(
                "The events of " + journal + " are its history, and are never deleted.")));
    }

    @Override
    public void postStop() throws Exception {
        commit.shutDown();
        super.postStop();
    }
}
