package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RetentionContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

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
