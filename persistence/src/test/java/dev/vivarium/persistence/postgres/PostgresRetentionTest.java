package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RetentionContract;
import dev.vivarium.persistence.contract.RunSweeps;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class PostgresRetentionTest extends RetentionContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static JournalWriter writer;

    @BeforeAll
    static void start() {
        writer = new JournalWriter(POSTGRES.store());
    }

    @AfterAll
    static void stop() {
        writer.close();
    }

    @Override
    protected Store store() {
        return POSTGRES.store();
    }

    @Override
    protected JournalWriter writer() {
        return writer;
    }

    @Override
    protected int rowsOf(RunId run) {
        List<String> ofRuns = List.of(
                "event_journal WHERE persistence_id = 'run|' || ?",
                "audit_event WHERE run_id = ?::bpchar",
                "audit_run WHERE run_id = ?::bpchar",
                "run_view WHERE run_id = ?::bpchar",
                "run_output WHERE run_id = ?::bpchar",
                "blob_hold WHERE run_id LIKE '%' || ? || '%'",
                "claimed_key WHERE run_id = ?::bpchar");
        int rows = 0;
        try (Connection connection = connect()) {
            for (String table : ofRuns) {
                try (PreparedStatement query = connection.prepareStatement("SELECT count(*) FROM " + table)) {
                    query.setString(1, run.value());
                    try (ResultSet row = query.executeQuery()) {
                        row.next();
                        rows += row.getInt(1);
                    }
                }
            }
        } catch (SQLException failed) {
            throw new AssertionError(failed);
        }
        return rows;
    }

    @Test
    void aRunWhoseEventsAreNotWhatTheLogHasIsNotDeleted(@TempDir Path folder) throws Exception {
        RunId run = Fixtures.run(710_000);
        try (RunSweeps sweeps =
                new RunSweeps(store(), writer, new Tenant("tampered-with"), Duration.ofDays(90), folder)) {
            sweeps.run(Fixtures.NOON, List.of(run));
            // By hand in SQL.
            String last = "sequence_number = 4 AND persistence_id = 'run|" + run + "'";
            execute("CREATE TABLE removed AS SELECT * FROM event_journal WHERE " + last);
            execute("DELETE FROM event_journal WHERE " + last);

            sweeps.sweep(Fixtures.NOON.plus(Duration.ofDays(3_000)));

            assertThat(sweeps.listed()).containsExactly(run);
            assertThat(sweeps.ordered(List.of(run))).isEqualTo(4);
            assertThat(sweeps.findings()).isNotEmpty();
            execute("INSERT INTO event_journal SELECT * FROM removed");
            execute("DROP TABLE removed");
            assertThat(sweeps.findings()).isEmpty();
        }
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static Connection connect() throws SQLException {
        return DriverManager.getConnection(
                POSTGRES.address().url(),
                POSTGRES.address().user(),
                POSTGRES.address().password());
    }

    @Override
    protected List<RunId> holders(String tenant, Digest digest) {
        List<RunId> holders = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection(
                        POSTGRES.address().url(),
                        POSTGRES.address().user(),
                        POSTGRES.address().password());
                PreparedStatement query =
                        connection.prepareStatement("SELECT run_id FROM blob_hold WHERE tenant = ? AND digest = ?")) {
            query.setString(1, tenant);
            query.setString(2, digest.hex());
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    BlobHolder.run(rows.getString(1)).ifPresent(holders::add);
                }
            }
        } catch (SQLException failed) {
            throw new AssertionError(failed);
        }
        return holders;
    }
}
