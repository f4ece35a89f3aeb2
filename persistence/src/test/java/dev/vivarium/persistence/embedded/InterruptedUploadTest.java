package dev.vivarium.persistence.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.contract.HeldUpUpload;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.postgres.PostgresStore;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.BlobStore.Written;
import dev.vivarium.persistence.store.MonotonicClock;
import dev.vivarium.protocol.auth.Tenant;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.Materializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An upload whose store becomes unavailable half-way fails, leaves nothing visible, and can be repeated. */
@Timeout(120)
class InterruptedUploadTest {
    private static final long BYTES_MAX = 64 << 20;
    private static final String INSTALLATION = "01k0testtesttesttesttestte";

    private ActorSystem<Void> system;
    private Materializer streams;
    private Path directory;

    @BeforeEach
    void start() throws IOException {
        system = ActorSystem.create(Behaviors.empty(), "uploads");
        streams = Materializer.matFromSystem(system);
        directory = TestPostgres.newDirectory();
    }

    @AfterEach
    void stop() throws IOException {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
        TestPostgres.delete(directory);
    }

    @Test
    void anUploadWhoseStoreBecomesUnavailableFailsAndCanBeRepeated() throws IOException {
        HeldUpUpload upload = new HeldUpUpload(1);
        CompletableFuture<Written> written;
        EmbeddedPostgres server = EmbeddedPostgres.start(directory.resolve("postgres"), MonotonicClock.system());
        try (PostgresStore store = PostgresStore.openOwn(server.address(), directory, INSTALLATION)) {
            written = write(store.blobs(), upload);
            upload.halfway().join();

            server.close();
            upload.goOn();

            assertThat(written)
                    .failsWithin(Duration.ofSeconds(30))
                    .withThrowableThat()
                    .withCauseInstanceOf(StoreUnavailable.class);
        }

        EmbeddedPostgres again = EmbeddedPostgres.start(directory.resolve("postgres"), MonotonicClock.system());
        try (PostgresStore store = PostgresStore.openOwn(again.address(), directory, INSTALLATION)) {
            assertThat(store.blobs()
                            .sizes(new Tenant("t"), Set.of(upload.digest()))
                            .toCompletableFuture()
                            .join())
                    .isEmpty();
            assertThat(write(store.blobs(), upload).join()).isInstanceOf(Written.Stored.class);
        } finally {
            again.close();
        }
    }

    private CompletableFuture<Written> write(BlobStore blobs, HeldUpUpload upload) {
        return blobs.write(new Tenant("t"), upload.digest(), BYTES_MAX, upload.content(), streams)
                .toCompletableFuture();
    }
}
