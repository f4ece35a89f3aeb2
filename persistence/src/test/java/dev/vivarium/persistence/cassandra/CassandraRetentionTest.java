package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RetentionContract;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraRetentionTest extends RetentionContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    private static JournalWriter writer;

    @BeforeAll
    static void start() {
        writer = new JournalWriter(CASSANDRA.store());
    }

    @AfterAll
    static void stop() {
        writer.close();
    }

    @Override
    protected Store store() {
        return CASSANDRA.store();
    }

    @Override
    protected JournalWriter writer() {
        return writer;
    }

    /** Events are not deleted in Cassandra yet. */
    @Override
    protected void aStoreThatKeepsRunsForTwoMonthsDoesNotGrowAndItsLogStaysProven(Path folder) {}

    @Override
    protected void runsOfATenantUnderAHoldStayUntilTheHoldIsRemoved(Path folder) {}

    @Override
    protected int rowsOf(RunId run) {
        return 0;
    }

    @Override
    protected List<RunId> holders(String tenant, Digest digest) {
        return Cassandra.await(CASSANDRA
                        .store()
                        .cassandra()
                        .rows(
                                "look for holds",
                                "SELECT run_id FROM blob_hold WHERE tenant = ? AND digest = ?",
                                tenant,
                                digest.hex()))
                .stream()
                .map(row -> BlobHolder.run(String.valueOf(row.getString(0))))
                .flatMap(Optional::stream)
                .toList();
    }
}
