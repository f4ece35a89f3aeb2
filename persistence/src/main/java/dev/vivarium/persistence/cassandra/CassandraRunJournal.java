package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalEntrySerializer;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.persistence.typed.PersistenceId;

/**
 * Reads the journal by plain CQL rather than through the plugin, so that it can be read without an actor system: before
 * one starts, and by the projection. It reads the commit rows first and then the entries: a committed entry was written
 * before its commit row.
 */
public final class CassandraRunJournal implements RunJournal {
    private static final String ENTRIES =
            "SELECT sequence_nr, writer_uuid, ser_id, ser_manifest, event FROM messages WHERE persistence_id = ?"
                    + " AND partition_nr = ? AND sequence_nr >= ? AND sequence_nr <= ?";

    /** The plugin's target-partition-size: entries per partition. */
    static final long ENTRIES_A_PARTITION = 500_000;

    private final Cassandra cassandra;
    private final JournalFence fence;
    private final EventCodec codec;

    CassandraRunJournal(Cassandra cassandra, JournalFence fence, EventCodec codec) {
        this.cassandra = cassandra;
        this.fence = fence;
        this.codec = codec;
    }

    @Override
    public CompletionStage<List<RecordedEvent>> events(RunId run, long fromSeq) {
        return entries(run, fromSeq)
                .thenApply(entries ->
                        entries.stream().map(stored -> recorded(run, stored)).toList());
    }

    private RecordedEvent recorded(RunId run, StoredEntry stored) {
        JournalEntry entry = stored.entry();
        return new RecordedEvent(run, stored.seq(), codec.decode(entry), entry.previousHash(), entry.hash());
    }

    /** Starts from the head, so that a deleted journal, which keeps its head, has no last event either. */
    @Override
    public CompletionStage<Optional<RunEvent>> lastEvent(RunId run) {
        return fence.head(RunPersistenceId.of(run).id())
                .thenCompose(head -> head == 0 ? CompletableFuture.completedFuture(List.of()) : entries(run, head))
                .thenApply(last -> last.isEmpty()
                        ? Optional.empty()
                        : Optional.of(codec.decode(last.get(last.size() - 1).entry())));
    }

    /** The stored entry of a run's submission. */
    CompletionStage<Optional<JournalEntry>> first(RunId run) {
        return entries(run, 1)
                .thenApply(entries -> entries.stream().map(StoredEntry::entry).findFirst());
    }

    /** Verifies the hash chain of a run's events. */
    public CompletionStage<ChainCheck.Verdict> check(RunId run) {
        return entries(run, 1).thenApply(entries -> ChainCheck.check(run, entries));
    }

    CompletionStage<List<StoredEntry>> entries(RunId run, long fromSeq) {
        return entries(RunPersistenceId.of(run), fromSeq);
    }

    /** The entries of a run, or of an act, from a number on. */
    CompletionStage<List<StoredEntry>> chain(RunId chain, long fromSeq) {
        return entries(ChainPersistenceId.of(chain), fromSeq);
    }

    private CompletionStage<List<StoredEntry>> entries(PersistenceId id, long fromSeq) {
        String journal = id.id();
        long from = Math.max(1, fromSeq);
        return fence.writers(journal, from, Long.MAX_VALUE)
                .thenCompose(writers -> writers.isEmpty()
                        ? CompletableFuture.completedFuture(List.of())
                        : entries(journal, from, writers)
                                .thenApply(entries -> requireAll(journal, entries, writers.size())));
    }

    /** A chain's entries, even if some that were committed are gone. */
    CompletionStage<List<StoredEntry>> found(RunId chain) {
        String journal = ChainPersistenceId.of(chain).id();
        return fence.writers(journal, 1, Long.MAX_VALUE)
                .thenCompose(writers -> writers.isEmpty()
                        ? CompletableFuture.completedFuture(List.of())
                        : entries(journal, 1, writers));
    }

    private CompletionStage<List<StoredEntry>> entries(String journal, long from, Map<Long, String> writers) {
        long last = writers.keySet().stream().mapToLong(Long::longValue).max().orElse(from);
        List<CompletionStage<List<Row>>> partitions = new ArrayList<>();
        for (long partition = partition(from); partition <= partition(last); partition++) {
            partitions.add(cassandra.rows("read the events of " + journal, ENTRIES, journal, partition, from, last));
        }
        return Cassandra.all(partitions).thenApply(read -> {
            List<StoredEntry> entries = new ArrayList<>();
            read.forEach(rows -> rows.stream()
                    .filter(row -> counts(row, writers))
                    .forEach(row -> entries.add(new StoredEntry(row.getLong(0), entry(row)))));
            return entries;
        });
    }

    private static List<StoredEntry> requireAll(String journal, List<StoredEntry> entries, int committed) {
        if (entries.size() != committed) {
            throw new IllegalStateException("The journal of " + journal + " has " + entries.size() + " of the "
                    + committed + " entries that were committed.");
        }
        return entries;
    }

    private static long partition(long seq) {
        return (seq - 1) / ENTRIES_A_PARTITION;
    }

    private static boolean counts(Row row, Map<Long, String> writers) {
        return String.valueOf(row.getString(1)).equals(writers.get(row.getLong(0)));
    }

    private static JournalEntry entry(Row row) {
        int serializer = row.getInt(2);
        if (serializer != JournalEntrySerializer.IDENTIFIER) {
            throw new IllegalArgumentException("The journal of a run holds what serializer " + serializer
                    + " wrote, and entries are written by " + JournalEntrySerializer.IDENTIFIER + ".");
        }
        return JournalEntryFormat.read(
                String.valueOf(row.getString(3)), bytes(row, 4).toByteArray());
    }

    /** A column of bytes; empty when it is null. */
    static Blob bytes(Row row, int column) {
        ByteBuffer value = row.getByteBuffer(column);
        if (value == null) {
            return Blob.EMPTY;
        }
        byte[] bytes = new byte[value.remaining()];
        value.duplicate().get(bytes);
        return Blob.of(bytes);
    }
}
