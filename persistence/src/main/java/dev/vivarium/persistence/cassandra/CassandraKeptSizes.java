package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.store.KeptData.Size;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much is kept of tenants: one pass over the keys of all blobs, and one over those of all parts of output, with a look into
 * the list of runs for each run.
 */
final class CassandraKeptSizes {
    private static final Logger log = LoggerFactory.getLogger(CassandraKeptSizes.class);
    private static final int ROWS_A_PAGE = 200;

    /** The most concurrent looks into the list of runs. */
    private static final int AT_ONCE = 16;

    private static final String BLOBS = "SELECT tenant, bytes, content FROM blob PER PARTITION LIMIT 1";
    private static final String PARTS = "SELECT DISTINCT run_id, part, part_end, attempt_last, closed FROM run_output";
    private static final String VIEW = "SELECT run FROM run_view WHERE run_id = ?";

    private final Cassandra cassandra;
    private final Map<Tenant, Size> sizes = new HashMap<>();

    CassandraKeptSizes(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    /** What a part of a run's output has. */
    private record Part(String run, long bytes) {}

    /** Called once; empty when it was not to go on. */
    Optional<Map<Tenant, Size>> measure(BooleanSupplier goOn) {
        boolean isWhole = forEachPage("measure its blobs", BLOBS, goOn, page -> page.forEach(this::addBlob))
                && forEachPage("measure the output of runs", PARTS, goOn, this::addOutput);
        return isWhole ? Optional.of(Map.copyOf(sizes)) : Optional.empty();
    }

    private boolean forEachPage(String what, String cql, BooleanSupplier goOn, Consumer<List<Row>> visit) {
        AsyncResultSet page = Cassandra.await(cassandra.page(what, ROWS_A_PAGE, cql));
        while (goOn.getAsBoolean()) {
            List<Row> rows = new ArrayList<>();
            page.currentPage().forEach(rows::add);
            visit.accept(rows);
            if (!page.hasMorePages()) {
                return true;
            }
            page = Cassandra.await(page.fetchNextPage());
        }
        return false;
    }

    private void add(Tenant tenant, Size size) {
        if (size.bytes() > 0) {
            sizes.merge(tenant, size, Size::plus);
        }
    }

    private void addBlob(Row row) {
        // Without a content there are only uploads of it.
        if (!row.isNull("content")) {
            add(new Tenant(String.valueOf(row.getString("tenant"))), new Size(0, row.getLong("bytes")));
        }
    }

    private void addOutput(List<Row> rows) {
        List<Part> parts = rows.stream()
                .map(CassandraKeptSizes::part)
                .filter(part -> part.bytes > 0)
                .toList();
        for (int from = 0; from < parts.size(); from += AT_ONCE) {
            List<Part> now = parts.subList(from, Math.min(parts.size(), from + AT_ONCE));
            List<Optional<Tenant>> tenants = Cassandra.await(Cassandra.all(
                    now.stream().map(part -> tenantOfEnded(part.run)).toList()));
            for (int i = 0; i < now.size(); i++) {
                Size size = new Size(now.get(i).bytes, 0);
                tenants.get(i).ifPresent(tenant -> add(tenant, size));
            }
        }
    }

    /** A chunk belongs to the part in which it begins, so what a closed part has beyond its size is of the next one's. */
    private static Part part(Row row) {
        OutputTail tail = OutputTail.of(row);
        long begins = row.getLong("part") * CassandraOutput.PART_BYTES;
        long end = tail.end() == null ? begins : tail.end();
        long bytes = tail.state() == OutputTail.State.CLOSED ? CassandraOutput.PART_BYTES : Math.max(0, end - begins);
        return new Part(String.valueOf(row.getString("run_id")), bytes);
    }

    /** Empty for a run that has not ended, and for one that the list does not have yet or cannot be read. */
    private CompletionStage<Optional<Tenant>> tenantOfEnded(String run) {
        return cassandra.rows("measure the output of runs", VIEW, run).thenApply(rows -> rows.stream()
                .findFirst()
                .flatMap(row -> Optional.ofNullable(row.getString("run")))
                .flatMap(json -> read(run, json))
                .filter(view -> view.status().isTerminal())
                .flatMap(view -> Optional.ofNullable(RunList.labels(view).get(RunSpec.TENANT_LABEL)))
                .filter(Tenant::isValid)
                .map(Tenant::new));
    }

    private static Optional<RunView> read(String run, String json) {
        try {
            return Optional.of(RunList.read(json));
        } catch (IllegalStateException unreadable) {
            log.debug("The output of run {} is not measured: {}", run, unreadable.getMessage());
            return Optional.empty();
        }
    }
}
