package dev.vivarium.persistence.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No acknowledged write is lost when the node, the server or both are killed with -9 while they write. */
@Timeout(180)
class KilledStoreTest {
    private static final int RUNS = 16;
    private static final long SOME = 400;

    private Path directory;
    private NodeProcess node;

    @BeforeEach
    void start() throws IOException {
        directory = TestPostgres.newDirectory();
        node = NodeProcess.start(directory, RUNS);
        awaitAcknowledgements(SOME);
    }

    @AfterEach
    void clean() throws IOException, InterruptedException {
        node.kill();
        Leftovers.clear(data(), Clock.systemUTC());
        TestPostgres.delete(directory);
    }

    @Test
    void theServerOfAKilledNodeEndsAndNothingIsLost() throws InterruptedException {
        Map<String, Long> acknowledged = node.kill();

        await().atMost(Duration.ofSeconds(2))
                .untilAsserted(() -> assertThat(Leftovers.in(data())).isEmpty());
        assertAllThere(acknowledged);
    }

    @Test
    void aKilledServerIsRestartedByItsNodeAndNothingIsLost() throws InterruptedException {
        ProcessHandle first = node.server();
        first.destroyForcibly();

        long before = node.acknowledgements();
        awaitAcknowledgements(before + SOME);
        assertThat(first.isAlive()).isFalse();
        assertAllThere(node.kill());
    }

    @Test
    void nothingIsLostWhenNodeAndServerAreKilledTogether() throws InterruptedException {
        ProcessHandle server = node.server();
        server.destroyForcibly();
        Map<String, Long> acknowledged = node.kill();

        assertAllThere(acknowledged);
    }

    @Test
    void aRepeatedlyKilledNodeContinuesWhereItWas() throws InterruptedException, IOException {
        Map<String, Long> acknowledged = node.kill();
        for (int i = 0; i < 2; i++) {
            NodeProcess next = NodeProcess.start(directory, RUNS);
            node = next;
            awaitAcknowledgements(SOME);
            next.kill().forEach((run, seq) -> acknowledged.merge(run, seq, Math::max));
        }
        assertAllThere(acknowledged);
    }

    private void assertAllThere(Map<String, Long> acknowledged) {
        assertThat(acknowledged).hasSize(RUNS);
        try (EmbeddedStore store = EmbeddedStore.open(directory)) {
            acknowledged.forEach((id, seq) -> {
                RunId run = new RunId(id);
                ChainCheck.Verdict verdict =
                        store.journal().check(run).toCompletableFuture().join();
                assertThat(verdict).isInstanceOf(ChainCheck.Intact.class);
                assertThat(((ChainCheck.Intact) verdict).entries()).isGreaterThanOrEqualTo(seq);
                assertThat(store.journal().state(run).toCompletableFuture().join())
                        .isInstanceOf(RunState.Existing.class);
            });
        }
    }

    private void awaitAcknowledgements(long count) {
        await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> node.acknowledgements() >= count);
    }

    private Path data() {
        return directory.resolve("postgres/data");
    }
}
