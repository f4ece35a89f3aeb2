package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.cassandra.JournalFence.Offer;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.follow.KeySweep;
import dev.vivarium.persistence.follow.Row;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.FencedOff;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalEntrySerializer;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.SealedSecrets;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Leftovers of crashes and pauses at the worst moment, and how they are handled. */
class FenceAndSweepTest {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    private static final AtomicInteger RUNS = new AtomicInteger(9_000);

    private static JournalWriter writer;

    private final RunId run = Fixtures.run(RUNS.incrementAndGet());
    private final List<RunEvent> events = Fixtures.success(run, Instant.now(), Map.of());

    @BeforeAll
    static void startWriter() {
        writer = new JournalWriter(CASSANDRA.store());
    }

    @AfterAll
    static void stopWriter() {
        writer.close();
    }

    @Test
    void uncommittedEntriesOfADeadOrFencedWriterAreNeverRead() {
        // given: rows of other writers under the next numbers, older and newer than the ones that will be committed
        writer.write(run, events.subList(0, 1));
        uncommitted(2, "dead-writer");
        uncommitted(3, "dead-writer");
        List<JournalEntry> entries = JournalWriter.entries(run, events);
        assertThat(writer.read(writer.entity(run))).isEqualTo(entries.subList(0, 1));

        writer.writeEntries(run, entries.subList(1, 3));
        uncommitted(3, "fenced-writer");
        uncommitted(4, "fenced-writer");

        assertThat(join(CASSANDRA.store().journal().events(run, 1)))
                .extracting(RecordedEvent::event)
                .isEqualTo(events.subList(0, 3));
        assertThat(writer.read(writer.entity(run))).isEqualTo(entries.subList(0, 3));
        writer.writeEntries(run, entries.subList(3, 4));
        assertThat(writer.read(writer.entity(run))).isEqualTo(entries);
        assertThat(join(CASSANDRA.store().journal().check(run))).isInstanceOf(ChainCheck.Intact.class);
    }

    @Test
    void missingCommittedEntriesAreReported() {
        writer.write(run, events.subList(0, 2));
        join(CASSANDRA
                .store()
                .cassandra()
                .write(
                        "test",
                        "DELETE FROM messages WHERE persistence_id = ? AND partition_nr = 0 AND sequence_nr = 2",
                        RunPersistenceId.of(run).id()));

        assertThatThrownBy(() -> join(CASSANDRA.store().journal().events(run, 1)))
                .hasMessageContaining("1 of the 2 entries that were committed");
    }

    @Test
    void aCommitFromAnOldHeadIsRefusedAlsoAfterThoseEntriesAreDeleted() {
        JournalFence fence = CASSANDRA.store().fence();
        join(fence.commit("a journal", List.of(new Offer(1, "one"), new Offer(2, "one"))));
        join(fence.forget("a journal", 2));

        assertThatThrownBy(() -> join(fence.commit("a journal", List.of(new Offer(2, "two")))))
                .hasCauseInstanceOf(FencedOff.class);
        assertThatThrownBy(() -> join(fence.commit("a journal", List.of(new Offer(1, "two")))))
                .hasCauseInstanceOf(FencedOff.class);
        join(fence.commit("a journal", List.of(new Offer(3, "two"))));
        assertThat(join(fence.head("a journal"))).isEqualTo(3);
    }

    @Test
    void aRunWhoseNodeDiedBetweenItsEndAndTheProjectionIsListedAfterASweep() throws InterruptedException {
        // given: everything that the journal does, without the projection
        RunIndexTables tables = CASSANDRA.store().tables();
        RunEvent.RunSubmitted submitted = (RunEvent.RunSubmitted) events.get(0);
        join(tables.announce(run, submitted.at(), submitted.spec()));
        List<JournalEntry> entries = JournalWriter.entries(run, events);
        for (int i = 0; i < entries.size(); i++) {
            write(i + 1, "dead-writer", entries.get(i));
        }
        List<Offer> offers =
                List.of(new Offer(1, "dead-writer"), new Offer(2, "dead-writer"), new Offer(3, "dead-writer"));
        join(CASSANDRA.store().fence().commit(RunPersistenceId.of(run).id(), offers));
        join(CASSANDRA.store().fence().commit(RunPersistenceId.of(run).id(), List.of(new Offer(4, "dead-writer"))));
        assertThat(found(Set.of())).doesNotContain(run);

        CASSANDRA.store().runSweep().sweep(() -> true);

        awaitStatus(RunStatus.SUCCEEDED);
        long hour = RunIndexTables.bucketOf(RunIndexTables.micros(submitted.at()));
        await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> assertThat(join(tables.live(hour)))
                .extracting(RunIndexTables.Place::run)
                .doesNotContain(run.value()));
    }

    @Test
    void aRunContinuedByAnotherNodeIsListedWithTheEventsOfBoth() {
        List<JournalEntry> entries = JournalWriter.entries(run, events);
        writer.write(run, events.subList(0, 1));
        for (int seq = 2; seq <= 3; seq++) {
            write(seq, "another-node", entries.get(seq - 1));
            join(CASSANDRA
                    .store()
                    .fence()
                    .commit(RunPersistenceId.of(run).id(), List.of(new Offer(seq, "another-node"))));
        }

        writer.writeEntries(run, entries.subList(3, 4));

        awaitStatus(RunStatus.SUCCEEDED);
    }

    @Test
    void announcementsThatNeverBecameARunAreForgotten() throws InterruptedException {
        Instant longAgo = Instant.now().minus(LiveRunSweep.SUBMISSION_MAX).minusSeconds(60);
        RunIndexTables tables = CASSANDRA.store().tables();
        RunEvent.RunSubmitted submitted = Fixtures.submitted(run, longAgo, Map.of());
        join(tables.announce(run, longAgo, submitted.spec()));

        CASSANDRA.store().runSweep().sweep(() -> true);

        assertThat(join(tables.live(RunIndexTables.bucketOf(RunIndexTables.micros(longAgo)))))
                .extracting(RunIndexTables.Place::run)
                .doesNotContain(run.value());
        assertThat(found(Set.of())).doesNotContain(run);
    }

    @Test
    void aLateProjectionDoesNotOverwriteALaterOne() {
        writer.write(run, events);
        awaitStatus(RunStatus.SUCCEEDED);
        RunIndexTables tables = CASSANDRA.store().tables();
        List<RecordedEvent> some =
                join(CASSANDRA.store().journal().events(run, 1)).subList(0, 2);

        RunView early = RunView.of((RunState.Existing) RunJournal.fold(some));
        join(tables.write(new Row<>(some.size(), early), RunList.write(early)));

        assertThat(join(tables.view(run.value())).orElseThrow().status()).isEqualTo(RunStatus.SUCCEEDED);
    }

    @Test
    void outputContinuesAcrossPartitionsAndALateWriterIsFenced() {
        long boundary = CassandraOutput.PART_BYTES;
        // a chunk that spans the first and the second partition
        append(1, 0, "first");
        append(1, boundary - 2, "over the edge");
        long edge = boundary - 2 + "over the edge".length();
        append(2, edge, "second attempt");

        append(1, boundary - 1, "zombie");
        append(1, edge, "zombie");
        append(1, edge + 500, "zombie");

        long end = edge + "second attempt".length();
        assertThat(read(0)).containsExactly("first", "over the edge", "second attempt");
        assertThat(read(boundary)).containsExactly("over the edge", "second attempt");
        assertThat(read(edge)).containsExactly("second attempt");
        assertThat(read(end)).isEmpty();
        assertThat(join(CASSANDRA.store().output().end(run))).isEqualTo(end);
    }

    @Test
    void anAttemptThatBeginsAtAPartitionsEdgeFencesTheNextPartitionToo() {
        long boundary = CassandraOutput.PART_BYTES;
        append(1, 0, "first");
        append(1, boundary - 3, "end");

        assertThat(join(CASSANDRA.store().output().begin(run, 2))).isEqualTo(boundary);
        append(1, boundary, "zombie");
        append(2, boundary, "second attempt");

        assertThat(read(0)).containsExactly("first", "end", "second attempt");

        // and in a partition that was opened, but not written to
        long edge = boundary + "second attempt".length();
        append(2, 2 * boundary - 3, "end");
        assertThat(join(CASSANDRA.store().output().begin(run, 3))).isEqualTo(2 * boundary);
        append(3, 2 * boundary, "third attempt");
        assertThat(join(CASSANDRA.store().output().begin(run, 4))).isEqualTo(2 * boundary + "third attempt".length());
        assertThat(read(edge)).containsExactly("end", "third attempt");
    }

    @Test
    void keysOfEndedAndUnknownRunsAreDestroyedAndThoseOfLiveRunsKept() {
        RunId live = Fixtures.run(RUNS.incrementAndGet());
        RunId unborn = Fixtures.run(RUNS.incrementAndGet());
        SecretVault vault = CASSANDRA.store().secrets();
        SealedSecrets ended = join(vault.seal(run, Map.of("KEY", "hush")));
        SealedSecrets kept = join(vault.seal(live, Map.of("KEY", "hush")));
        SealedSecrets young = join(vault.seal(unborn, Map.of("KEY", "hush")));
        writer.write(run, events);
        writer.write(live, Fixtures.success(live, Instant.now(), Map.of()).subList(0, 2));

        sweep(Clock.systemUTC()).sweep(() -> true);

        assertThatThrownBy(() -> join(vault.open(run, ended))).hasCauseInstanceOf(SecretVault.KeyDestroyed.class);
        assertThat(join(vault.open(live, kept))).containsEntry("KEY", "hush");
        assertThat(join(vault.open(unborn, young))).containsEntry("KEY", "hush");

        sweep(Clock.offset(Clock.systemUTC(), KeySweep.SUBMISSION_MAX.plusSeconds(60)))
                .sweep(() -> true);

        assertThatThrownBy(() -> join(vault.open(unborn, young))).hasCauseInstanceOf(SecretVault.KeyDestroyed.class);
        assertThat(join(vault.open(live, kept))).containsEntry("KEY", "hush");
    }

    @Test
    void aMasterKeyIsReplacedUnderLiveRuns() {
        writer.write(run, events.subList(0, 2));
        MasterKeys old = MasterKeys.read(CASSANDRA.settings().masterKey());
        SecretSeal.Key fresh = SecretSeal.Key.random();
        CassandraSecretVault both = vault(new MasterKeys(List.of(fresh, old.current())));
        SealedSecrets sealed = join(CASSANDRA.store().secrets().seal(run, Map.of("KEY", "hush")));
        CassandraSecretVault afterwards = vault(new MasterKeys(List.of(fresh)));
        assertThatThrownBy(() -> join(afterwards.open(run, sealed)))
                .hasMessageContaining("a master key that this node does not have");

        join(both.rewrap(run));

        assertThat(join(afterwards.open(run, sealed))).containsEntry("KEY", "hush");
        assertThatThrownBy(() -> join(CASSANDRA.store().secrets().open(run, sealed)))
                .hasMessageContaining("a master key that this node does not have");
    }

    private static CassandraSecretVault vault(MasterKeys masters) {
        return new CassandraSecretVault(CASSANDRA.store().cassandra(), masters, Clock.systemUTC());
    }

    private static KeySweep sweep(Clock clock) {
        CassandraStore store = CASSANDRA.store();
        return KeySweep.ofSeveralNodes(
                new KeyRows(store.cassandra(), (CassandraSecretVault) store.secrets()), store.journal(), clock);
    }

    private void uncommitted(long seq, String whose) {
        write(
                seq,
                whose,
                EventCodec.standard()
                        .encode(
                                new RunEvent.CancelRequested(
                                        Fixtures.NOON, whose, Principal.LOCAL_OPERATOR, Optional.empty()),
                                EventCodec.genesis(run)));
    }

    /** Writes a row like the plugin. */
    private void write(long seq, String whose, JournalEntry entry) {
        join(CASSANDRA
                .store()
                .cassandra()
                .write(
                        "test",
                        "INSERT INTO messages (persistence_id, partition_nr, sequence_nr, timestamp, timebucket,"
                                + " writer_uuid, ser_id, ser_manifest, event_manifest, event)"
                                + " VALUES (?, 0, ?, now(), '0', ?, ?, ?, '', ?)",
                        RunPersistenceId.of(run).id(),
                        seq,
                        whose,
                        JournalEntrySerializer.IDENTIFIER,
                        JournalEntryFormat.MANIFEST,
                        ByteBuffer.wrap(JournalEntryFormat.write(entry))));
    }

    private void append(int attempt, long offset, String text) {
        OutputChunk chunk =
                new OutputChunk(attempt, ProcessId.COMMAND, Stream.STDOUT, offset, Fixtures.NOON, Blob.ofUtf8(text));
        join(CASSANDRA.store().output().append(run, List.of(chunk)));
    }

    private List<String> read(long from) {
        return join(CASSANDRA.store().output().read(run, from, 1_000)).stream()
                .map(chunk -> new String(chunk.data().toByteArray(), StandardCharsets.UTF_8))
                .toList();
    }

    private void awaitStatus(RunStatus status) {
        await().atMost(Duration.ofSeconds(5)).until(() -> found(Set.of(status)).contains(run));
    }

    private static List<RunId> found(Set<RunStatus> statuses) {
        return join(CASSANDRA
                        .store()
                        .runs()
                        .find(new RunIndex.Query(statuses, Map.of(), Optional.empty(), Optional.empty(), 100)))
                .runs()
                .stream()
                .map(RunView::id)
                .toList();
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
