package dev.vivarium.persistence.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On a small file system that only root can mount. */
@Timeout(180)
class FullDiskTest {
    private static final RunId RUN = Fixtures.run(1);
    private static final int CHUNK_BYTES = 256 << 10;
    private static final int CHUNKS_MAX = 2000;

    private Path directory;
    private Path small;

    @BeforeEach
    void mount() throws IOException {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        directory = TestPostgres.newDirectory();
        small = Files.createDirectory(directory.resolve("small"));
        Commands.run("mount", "-t", "tmpfs", "-o", "size=128m,mode=0711", "tmpfs", small.toString());
        Files.copy(directory.resolve("postgres"), small.resolve("postgres"));
        try (var links = Files.list(directory.resolve("postgres"))) {
            for (Path link : links.toList()) {
                Files.createSymbolicLink(
                        small.resolve("postgres").resolve(link.getFileName()), Files.readSymbolicLink(link));
            }
        }
        Files.write(small.resolve("ballast"), new byte[24 << 20]);
    }

    @AfterEach
    void unmount() throws IOException {
        if (small != null) {
            Commands.run("umount", small.toString());
            TestPostgres.delete(directory);
        }
    }

    @Test
    void onAFullDiskNothingIsAcknowledgedOrLostAndWritesResumeWhenThereIsRoom() throws IOException {
        try (EmbeddedStore store = EmbeddedStore.open(small)) {
            // when: the disk fills up
            long acknowledged = fill(store);

            // then: every acknowledged write is there once there is room again
            Files.delete(small.resolve("ballast"));
            await().atMost(Duration.ofSeconds(60)).ignoreExceptions().untilAsserted(() -> append(store, acknowledged));
            assertThat(end(store)).isEqualTo((acknowledged + 1) * CHUNK_BYTES);
            for (long n = 0; n <= acknowledged; n++) {
                assertThat(store.output()
                                .read(RUN, n * CHUNK_BYTES, 1)
                                .toCompletableFuture()
                                .join())
                        .containsExactly(chunk(n));
            }
        }
    }

    private static long fill(EmbeddedStore store) {
        for (long n = 0; n < CHUNKS_MAX; n++) {
            try {
                append(store, n);
            } catch (CompletionException full) {
                assertThat(full).hasCauseInstanceOf(StoreUnavailable.class);
                return n;
            }
        }
        throw new AssertionError("The disk never filled up.");
    }

    private static void append(EmbeddedStore store, long n) {
        store.output().append(RUN, List.of(chunk(n))).toCompletableFuture().join();
    }

    private static long end(EmbeddedStore store) {
        return store.output().end(RUN).toCompletableFuture().join();
    }

    /** Incompressible bytes, the same for the same number. */
    private static OutputChunk chunk(long n) {
        byte[] bytes = new byte[CHUNK_BYTES];
        new Random(n).nextBytes(bytes);
        return new OutputChunk(
                1,
                ProcessId.COMMAND,
                Stream.STDOUT,
                n * CHUNK_BYTES,
                Fixtures.NOON.truncatedTo(java.time.temporal.ChronoUnit.MICROS),
                Blob.of(bytes));
    }
}
