package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RunIndexContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresRunIndexTest extends RunIndexContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static JournalWriter writer;

    @BeforeAll
    static void startWriter() {
        writer = new JournalWriter(POSTGRES.store());
    }

    @AfterAll
    static void stopWriter() {
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
    protected void damageFirstEntry(RunId run) {
        try (Connection connection = POSTGRES.connect();
                PreparedStatement damage = connection.prepareStatement(
                        "UPDATE event_journal SET event_payload = '' WHERE persistence_id = ? AND sequence_number = 1")) {
            damage.setString(1, RunPersistenceId.of(run).id());
            assertThat(damage.executeUpdate()).isEqualTo(1);
        } catch (SQLException failed) {
            throw new AssertionError(failed);
        }
    }
}
