package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.persistence.journal.ChainCheck;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every run answered with 202 reaches exactly one end, even if the store is killed under the node, or both together. */
@Timeout(300)
class KilledStoreOfANodeTest {
    private static final Agent QUICK = Agent.python("print('done')");
    private static final int CLIENTS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void anUnavailableStoreIsReportedAndTheNodeContinuesWhenItIsBack() throws Exception {
        List<String> accepted = new ArrayList<>();
        try (WholeNode node = WholeNode.on(data).go()) {
            String sleeper = node.submit(Agent.sleeper()).acceptedRun();
            node.awaitPrinted(sleeper, "attempt 1");
            Clients clients = Clients.of(node, QUICK, CLIENTS);
            try (clients) {
                await().atMost(PATIENCE).until(() -> clients.accepted().size() > CLIENTS);

                // when
                data.takeProgramsAway();
                Instant killed = Instant.now();
                node.store().destroyForcibly();

                // then
                await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 503);
                assertThat(node.get("/health/ready").body().path("errors").findValuesAsText("field"))
                        .containsExactly("store");
                node.submit(QUICK).assertProblem(503, "store-unavailable");
                node.get("/v1/runs/" + sleeper).assertProblem(503, "store-unavailable");
                assertThat(node.get("/health/alive").status()).isEqualTo(200);

                // when
                int before = clients.accepted().size();
                Instant back = Instant.now();
                data.bringProgramsBack();

                // then
                await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 200);
                await().atMost(PATIENCE)
                        .until(() -> clients.accepted().size() > before + CLIENTS
                                || !clients.failures().isEmpty());
                System.out.printf(
                        "the store could not run for %d ms; clients had ends of new runs %d ms later%n",
                        Duration.between(killed, back).toMillis(),
                        Duration.between(back, Instant.now()).toMillis());
            }
            assertThat(clients.failures()).isEmpty();
            assertThat(clients.refused()).allSatisfy(answer -> answer.assertProblem(503, "store-unavailable"));
            accepted.addAll(clients.accepted());
            assertThat(node.status(sleeper)).isEqualTo("RUNNING");
            assertThat(node.run(sleeper).path("attempt").asInt()).isEqualTo(1);
            accepted.add(sleeper);
            node.cancel(sleeper);
            assertEachEndedOnce(node, accepted);
            System.out.printf(
                    "kill -9 of the store: %d runs accepted, %d submissions answered 503, all accepted ones ended%n",
                    accepted.size(), clients.refused().size());
            assertThat(node.stop()).isZero();
        }
        assertChainsHold(accepted);
    }

    @Test
    void aNodeAndItsStoreKilledTogetherLoseNothing() throws Exception {
        List<String> accepted = new ArrayList<>();
        try (WholeNode first = WholeNode.on(data).go();
                Clients clients = Clients.of(first, QUICK, CLIENTS)) {
            await().atMost(PATIENCE).until(() -> clients.accepted().size() > CLIENTS);

            // when
            first.store().destroyForcibly();
            first.kill();

            // then
            clients.awaitEnd();
            accepted.addAll(clients.accepted());
        }
        try (WholeNode second = WholeNode.on(data).go()) {
            assertEachEndedOnce(second, accepted);
            System.out.printf(
                    "kill -9 of node and store: %d runs accepted, all ended, %d of them in a second attempt%n",
                    accepted.size(), secondAttempts(second, accepted));
            assertThat(second.stop()).isZero();
        }
        assertChainsHold(accepted);
    }

    private static void assertEachEndedOnce(WholeNode node, List<String> runs) throws Exception {
        for (String run : runs) {
            JsonNode end = node.awaitEnd(run);
            assertThat(end.path("status").asText()).as("%s", end).isIn("SUCCEEDED", "CANCELLED");
            assertThat(node.history(run)).filteredOn(History::isEnd).hasSize(1);
        }
    }

    private static long secondAttempts(WholeNode node, List<String> runs) throws Exception {
        long count = 0;
        for (String run : runs) {
            count += node.run(run).path("attempt").asInt() > 1 ? 1 : 0;
        }
        return count;
    }

    private void assertChainsHold(List<String> runs) {
        assertThat(data.chains(runs))
                .allSatisfy((run, verdict) -> assertThat(verdict).isInstanceOf(ChainCheck.Intact.class));
    }
}
