package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.contract.HeldUpUpload;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cassandra is killed with -9 under writes and started again: no acknowledged write is lost, and no node is restarted. */
@Timeout(240)
class KilledCassandraTest {
    @RegisterExtension
    @Order(1)
    static final OwnCassandra SERVER = new OwnCassandra();

    @RegisterExtension
    @Order(2)
    static final TestStore CASSANDRA = new TestStore(SERVER::server);

    private static final int FIRST_RUN = 20_000;
    private static final RunId PRINTING = Fixtures.run(21_000);

    @Test
    void tablesAndAcknowledgedWritesSurviveAKill() throws Exception {
        try (CqlSession session = TestStore.session(SERVER.server())) {
            session.execute(
                    "CREATE KEYSPACE kept WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
            session.execute("CREATE TABLE kept.value (id int PRIMARY KEY, value int)");
            session.execute("INSERT INTO kept.value (id, value) VALUES (1, 42)");
        }

        SERVER.server().kill();
        SERVER.server().startAgain();

        try (CqlSession session = TestStore.session(SERVER.server())) {
            assertThat(session.execute("SELECT value FROM kept.value WHERE id = 1")
                            .one()
                            .getInt(0))
                    .isEqualTo(42);
        }
    }

    @Test
    void afterAnOutageEveryAcknowledgedWriteIsThereAndWritesContinue() throws Exception {
        CassandraStore store = CASSANDRA.store();
        SteadyWriters writers = new SteadyWriters(store, FIRST_RUN);
        try (writers) {
            writers.awaitMore(10);
            long printed = 0;
            for (int kill = 0; kill < 2; kill++) {
                long before = printed;
                await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> append(store, before));
                printed++;

                SERVER.server().kill();
                Map<RunId, Long> atTheKill = writers.acknowledged();

                assertThat(store.runs()
                                .find(new RunIndex.Query(Set.of(), Map.of(), Optional.empty(), Optional.empty(), 9))
                                .toCompletableFuture())
                        .failsWithin(Duration.ofSeconds(20))
                        .withThrowableThat()
                        .withCauseInstanceOf(StoreUnavailable.class);
                assertThat(store.output().end(PRINTING).toCompletableFuture())
                        .failsWithin(Duration.ofSeconds(20))
                        .withThrowableThat()
                        .withCauseInstanceOf(StoreUnavailable.class);

                SERVER.server().startAgain();
                writers.awaitMore(10);
                writers.assertAllThere(atTheKill);
            }
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> store.projectionLag().compareTo(Duration.ofSeconds(2)) < 0);
            long end = printed;
            await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> assertThat(
                            join(store.output().end(PRINTING)))
                    .isGreaterThanOrEqualTo(end));
        }
        writers.assertAllThere(writers.acknowledged());
    }

    @Test
    void anUploadWhoseStoreBecomesUnavailableFailsAndCanBeRepeated() throws Exception {
        HeldUpUpload upload = new HeldUpUpload(2);
        BlobStore blobs = CASSANDRA.store().blobs();
        try (JournalWriter streams = new JournalWriter(CASSANDRA.store())) {
            CompletableFuture<BlobStore.Written> written = write(blobs, upload, streams);
            upload.halfway().join();

            SERVER.server().kill();
            upload.goOn();

            assertThat(written)
                    .failsWithin(Duration.ofSeconds(30))
                    .withThrowableThat()
                    .withCauseInstanceOf(StoreUnavailable.class);
            SERVER.server().startAgain();
            await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> assertThat(
                            join(blobs.sizes(new Tenant("t"), Set.of(upload.digest()))))
                    .isEmpty());
            assertThat(write(blobs, upload, streams).join()).isInstanceOf(BlobStore.Written.Stored.class);
        }
    }

    private static CompletableFuture<BlobStore.Written> write(
            BlobStore blobs, HeldUpUpload upload, JournalWriter streams) {
        return blobs.write(new Tenant("t"), upload.digest(), 64 << 20, upload.content(), streams.materializer())
                .toCompletableFuture();
    }

    private static boolean append(CassandraStore store, long offset) {
        join(store.output()
                .append(
                        PRINTING,
                        List.of(new OutputChunk(
                                1, ProcessId.COMMAND, Stream.STDOUT, offset, Fixtures.NOON, Blob.ofUtf8("x")))));
        return true;
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
