package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The store's connections while there is no database. */
class DatabaseTest {
    private static final Duration WAIT = Duration.ofMillis(250);
    private static final int READERS = 400;

    /** With six threads, one wait after another would take 17 s. */
    private static final Duration ALL_REFUSED_MAX = Duration.ofSeconds(5);

    @Test
    void whoeverReadsWhileTheDatabaseIsAwayIsToldSoAfterOneWaitHoweverManyAskedBefore() throws Exception {
        try (Database database = new Database(nobody(), WAIT)) {
            List<CompletableFuture<Integer>> readers = new ArrayList<>();
            for (int reader = 0; reader < READERS; reader++) {
                readers.add(database.query("read the events of a run", connection -> 1)
                        .toCompletableFuture());
            }

            assertThat(CompletableFuture.allOf(readers.toArray(CompletableFuture[]::new)))
                    .failsWithin(ALL_REFUSED_MAX);
            assertThat(readers).allSatisfy(reader -> assertThat(reader)
                    .isCompletedExceptionally()
                    .failsWithin(Duration.ZERO)
                    .withThrowableThat()
                    .withCauseInstanceOf(StoreUnavailable.class)
                    .withMessageContaining("The store cannot read the events of a run"));
        }
    }

    /** An address at which nobody listens. */
    private static PostgresAddress nobody() throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new PostgresAddress(
                    "jdbc:postgresql://127.0.0.1:" + free.getLocalPort() + "/vivarium", "vivarium", "secret");
        }
    }
}
