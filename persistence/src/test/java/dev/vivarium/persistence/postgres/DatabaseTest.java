package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The store's connections while there is no database. */
class DatabaseTest {
    private static final Duration WAIT = Duration.ofMillis(250);
    private static final int READERS = 400;

    /** With six threads, one wait after another would take 17 s. */
    private static final Duration ALL_REFUSED_MAX = Duration.ofSeconds(5);

    /** Longer than a pool by itself would then wait until its next try. */
    private static final int REFUSED_BEFORE_IT_IS_BACK = 24;

    private static final Duration BACK_MAX = Duration.ofSeconds(1);

    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Test
    void aDatabaseThatIsBackIsUsedAtOnceHoweverLongItWasAway(@TempDir Path folder) throws Exception {
        Path door = folder.resolve("door");
        String url = POSTGRES.address().url();
        Matcher argument = Pattern.compile("(?<=socketFactoryArg=)[^&]+").matcher(url);
        assertThat(argument.find()).isTrue();
        Path socket = Path.of(URLDecoder.decode(argument.group(), StandardCharsets.UTF_8));
        PostgresAddress throughDoor = new PostgresAddress(
                argument.replaceFirst(URLEncoder.encode(door.toString(), StandardCharsets.UTF_8)),
                POSTGRES.address().user(),
                POSTGRES.address().password());
        try (Database database = new Database(throughDoor, WAIT)) {
            for (int refused = 0; refused < REFUSED_BEFORE_IT_IS_BACK; refused++) {
                assertThat(one(database))
                        .failsWithin(ALL_REFUSED_MAX)
                        .withThrowableThat()
                        .withMessageContaining(
                                "The store cannot read a number: There was no connection to the PostgreSQL server")
                        .withMessageContaining("No such file or directory");
            }

            Files.createSymbolicLink(door, socket);

            await().atMost(BACK_MAX).ignoreExceptions().until(() -> one(database)
                    .get(BACK_MAX.toMillis(), TimeUnit.MILLISECONDS)
                    .equals(1));
        }
    }

    private static CompletableFuture<Integer> one(Database database) {
        return database.query("read a number", connection -> {
                    try (Statement statement = connection.createStatement();
                            ResultSet rows = statement.executeQuery("SELECT 1")) {
                        rows.next();
                        return rows.getInt(1);
                    }
                })
                .toCompletableFuture();
    }

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
