package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.follow.KeySweep;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.secrets.FileSecretVault;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class KeySweepTest {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static final RunId RUN = Fixtures.run(1);
    private static final RunId OTHER = Fixtures.run(2);

    @TempDir
    Path directory;

    private final Database database = new Database(POSTGRES.address());
    private FileSecretVault vault;

    @BeforeEach
    void open() throws SQLException {
        try (Connection connection = POSTGRES.connect();
                var statement = connection.createStatement()) {
            statement.execute("DELETE FROM event_tag; DELETE FROM event_journal");
        }
        vault = FileSecretVault.in(directory, Runnable::run, Clock.systemUTC());
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void keysOfEndedRunsAreDestroyedAndThoseOfLiveRunsKept() throws SQLException {
        seal(RUN);
        seal(OTHER);
        journal(RUN, Fixtures.success(RUN, Fixtures.NOON, Map.of()));
        journal(OTHER, Fixtures.success(OTHER, Fixtures.NOON, Map.of()).subList(0, 3));

        sweep().sweep(() -> true);

        assertThat(vault.runsWithKeys()).containsExactly(OTHER);
    }

    @Test
    void aKeyWithoutARunFromAnEarlierIncarnationIsDestroyedImmediately() {
        seal(RUN);

        sweep(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(1))).sweep(() -> true);

        assertThat(vault.runsWithKeys()).isEmpty();
    }

    @Test
    void theKeyOfAPendingSubmissionIsKeptUntilItMustHaveTimedOut() {
        Instant start = Instant.now().minusSeconds(1);
        MovedClock clock = new MovedClock(start);
        KeySweep sweep = sweep(clock);
        seal(RUN);

        clock.now = start.plus(KeySweep.SUBMISSION_MAX);
        sweep.sweep(() -> true);
        assertThat(vault.runsWithKeys()).containsExactly(RUN);

        clock.now = clock.now.plusSeconds(60);
        sweep.sweep(() -> true);
        assertThat(vault.runsWithKeys()).isEmpty();
    }

    @Test
    void aRetryThatSealsWithTheKeyOfAnEarlierIncarnationKeepsIt() throws IOException {
        seal(RUN);
        Files.setLastModifiedTime(
                directory.resolve("keys/" + RUN), FileTime.from(Instant.now().minusSeconds(3600)));
        KeySweep sweep = sweep(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(-1)));

        seal(RUN);
        sweep.sweep(() -> true);

        assertThat(vault.runsWithKeys()).containsExactly(RUN);
    }

    @Test
    void anUnreadableRunKeepsItsKeyAndBlocksNoOther() throws SQLException {
        seal(RUN);
        seal(OTHER);
        List<RunEvent> impossible = List.of(Fixtures.submitted(RUN), Fixtures.submitted(RUN));
        journal(RUN, impossible);
        journal(OTHER, Fixtures.success(OTHER, Fixtures.NOON, Map.of()));

        sweep().sweep(() -> true);

        assertThat(vault.runsWithKeys()).containsExactly(RUN);
    }

    @Test
    void keysOfRunsThatEndWhileTheStoreIsOpenAreSweptRepeatedly() throws Exception {
        Path key = POSTGRES.directory().resolve("keys/" + RUN);
        journal(RUN, Fixtures.success(RUN, Fixtures.NOON, Map.of()));

        // As if deleting the key had failed when the run ended.
        POSTGRES.store()
                .secrets()
                .seal(RUN, Map.of("KEY", "hush"))
                .toCompletableFuture()
                .join();
        assertThat(key).exists();

        await().atMost(Duration.ofSeconds(60)).until(() -> Files.notExists(key));
    }

    private KeySweep sweep() {
        return sweep(Clock.systemUTC());
    }

    private KeySweep sweep(Clock clock) {
        return KeySweep.ofOneNode(new FileKeys(vault), new PostgresJournal(database, EventCodec.standard()), clock);
    }

    private void seal(RunId run) {
        vault.seal(run, Map.of("KEY", "hush")).toCompletableFuture().join();
    }

    private static void journal(RunId run, List<RunEvent> events) throws SQLException {
        try (Connection connection = POSTGRES.connect()) {
            JournalRows.write(connection, run, events);
        }
    }

    private static final class MovedClock extends Clock {
        private Instant now;

        MovedClock(Instant now) {
            this.now = now;
        }

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
