package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditQuery;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.auth.Principal;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AuditRoutesTest {
    private final TestApi api = new TestApi("");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void everyConditionReachesTheLog() {
        HttpResponse<String> answer = api.get("/v1/audit/events?tenant=a&tenant=b&run=" + TestApi.UNKNOWN_RUN
                + "&label=team=research&label=x=1&node=n&type=RunKilled,RunLost&reason=MEMORY&by=local:operator&image=i"
                + "&since=2026-01-31T12:00:00Z&until=2026-02-01T12:00:00Z&order=oldest&limit=5");

        assertThat(answer.statusCode()).isEqualTo(200);
        AuditQuery asked = api.audit.asked.get(0);
        assertThat(asked.order()).isEqualTo(AuditOrder.OLDEST);
        assertThat(asked.limit()).isEqualTo(5);
        assertThat(asked.filter().runs()).containsExactly(TestApi.UNKNOWN_RUN);
        assertThat(asked.filter().labels()).containsEntry("team", "research").containsEntry("x", "1");
        assertThat(asked.filter().words().get(Field.TENANT)).containsExactly("a", "b");
        assertThat(asked.filter().words().get(Field.TYPE)).containsExactly("RunKilled", "RunLost");
        assertThat(asked.filter().words().get(Field.REASON)).containsExactly("MEMORY");
        assertThat(asked.filter().words().get(Field.BY)).containsExactly("local:operator");
        assertThat(asked.filter().words().get(Field.NODE)).containsExactly("n");
        assertThat(asked.filter().words().get(Field.IMAGE)).containsExactly("i");
        assertThat(asked.filter().since()).contains(Instant.parse("2026-01-31T12:00:00Z"));
        assertThat(asked.filter().until()).contains(Instant.parse("2026-02-01T12:00:00Z"));
        JsonNode page = TestApi.json(answer);
        assertThat(page.path("end").asText()).isEqualTo("FULL");
        assertThat(page.path("head").path("lagMillis").asLong()).isEqualTo(40);
        assertThat(page.path("events").path(0).path("position").asLong()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({
        "events?colour=red, colour",
        "events?type=RunKiled, type",
        "events?reason=BOREDOM, reason",
        "events?run=x, run",
        "events?label=x, label",
        "events?since=yesterday, since",
        "events?since=2026-02-01T12:00:00Z&until=2026-01-31T12:00:00Z, until",
        "events?order=random, order",
        "events?limit=501, limit",
        "events?after=-1, after",
        "events?cursor=of-another-query, cursor",
        "counts, measure",
        "counts?measure=FUN, measure",
        "counts?measure=KILLS&since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z, since",
        "counts?measure=RUNS&since=2026-03-01T00:00:00Z&until=2026-01-01T00:00:00Z, until",
    })
    void aWrongQueryIsRefusedByTheNameOfWhatIsWrong(String query, String field) {
        HttpResponse<String> answer = api.get("/v1/audit/" + query);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .contains(field);
    }

    @Test
    void tilesAreServedBesideTheCheckpoint() {
        HttpResponse<String> tile = tile("0/000.p/3");
        assertThat(tile.statusCode()).isEqualTo(200);
        assertThat(tile.headers().firstValue("Content-Type")).contains("application/octet-stream");
        assertThat(tile.body()).hasSize(3 * 32);
        assertThat(tile("0%2F000.p%2F3").statusCode()).isEqualTo(200);

        for (String none :
                List.of("0/000", "0/000.p/4", "0/001.p/1", "1/000.p/1", "0/0.p/3", "00/000.p/3", "entries/000.p/3")) {
            assertThat(tile(none).statusCode()).as(none).isEqualTo(404);
        }
    }

    /** The document's paths have no slashes in a parameter. */
    private HttpResponse<String> tile(String path) {
        return api.send(api.request("/v1/audit/tile/" + path).build());
    }

    @Test
    void aConsistencyProofIsWhatAWitnessTakes() {
        assertThat(api.get("/v1/audit/consistency?from=2").body()).isEqualTo("old 2\n\n" + api.audit.log.checkpoint());
        assertThat(api.get("/v1/audit/consistency").statusCode()).isEqualTo(400);
        assertThat(api.get("/v1/audit/consistency?from=4").statusCode()).isEqualTo(400);
        assertThat(api.get("/v1/audit/consistency?from=-1").statusCode()).isEqualTo(400);
    }

    @Test
    void operatorsSeeWhatTheLastCheckFoundAndBeginOne() {
        JsonNode sound = TestApi.json(api.get("/v1/audit/check"));
        assertThat(sound.path("last").path("findings")).isEmpty();
        assertThat(sound.path("underWay").isNull()).isTrue();

        HttpResponse<String> begun = beginCheck();
        assertThat(begun.statusCode()).isEqualTo(202);
        assertThat(TestApi.json(begun).path("underWay").path("node").asText()).isEqualTo("node-2");
        assertThat(api.checks.asked).containsExactly(Principal.LOCAL_OPERATOR);

        // without a key of the log, and while the node that would do it does not answer
        api.checks.begins = Optional.empty();
        assertThat(beginCheck().statusCode()).isEqualTo(404);
        api.checks.failure = Optional.of(new CompletionException(new TimeoutException()));
        assertThat(beginCheck().statusCode()).isEqualTo(503);
        assertThat(api.get("/v1/audit/check?now=true").statusCode()).isEqualTo(400);
    }

    private HttpResponse<String> beginCheck() {
        return api.exchange(
                api.request("/v1/audit/check").POST(BodyPublishers.noBody()).build());
    }

    @Test
    void aRequestMayWaitForAPosition() throws Exception {
        CompletableFuture<HttpResponse<String>> answer =
                CompletableFuture.supplyAsync(() -> api.get("/v1/audit/events?after=7"));
        api.audit.head = new AuditHead(7, 0);
        assertThat(answer).isNotDone();

        api.audit.head = new AuditHead(8, 0);

        assertThat(answer.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }

    @Test
    void manyRequestsThatWaitCostOneLookEach() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> answers = Stream.generate(
                        () -> CompletableFuture.supplyAsync(() -> api.get("/v1/audit/events?after=7")))
                .limit(8)
                .toList();
        await().until(() -> api.audit.looks.get() >= 8 + 3);
        int before = api.audit.looks.get();
        await().until(() -> api.audit.looks.get() >= before + 5);
        // eight that looked by themselves would have looked forty times meanwhile
        assertThat(api.audit.looks.get()).isLessThan(before + 20);

        api.audit.head = new AuditHead(8, 0);

        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(answer.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
        }
        int after = api.audit.looks.get();
        api.get("/v1/audit/events");
        assertThat(api.audit.looks.get()).isLessThanOrEqualTo(after + 1);
    }

    @Test
    void anExportHasALineForEachPositionAndTheCheckpointLast() {
        HttpResponse<String> answer = api.get("/v1/audit/export?from=1");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/x-ndjson");
        List<JsonNode> lines = answer.body().lines().map(TestApi::json).toList();
        assertThat(lines.stream().map(line -> line.path("line").asText()))
                .containsExactly("begin", "missing", "missing", "end");
        assertThat(lines.get(3).path("to").asLong()).isEqualTo(3);
        assertThat(lines.get(3).path("checkpoint").asText()).startsWith("example.org/log\n3\n");
        // and a part of it
        assertThat(api.get("/v1/audit/export?from=1&to=2").body().lines()).hasSize(3);
        assertThat(api.get("/v1/audit/export?from=3").body().lines()).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({
        "from=4, from",
        "from=1&to=4, to",
        "from=2&to=1, to",
        "from=-1, from",
        "from=9223372036854775808, from",
        "to=x, to",
        "cursor=x, cursor",
        "type=RunKiled, type",
    })
    void aRangeThatIsWrongOrLiesInTheFutureIsRefused(String query, String field) {
        HttpResponse<String> answer = api.get("/v1/audit/export?" + query);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .contains(field);
    }

    @Test
    void anExportWaitsForTheCheckpointOfWhatHasAPosition() throws Exception {
        api.audit.head = new AuditHead(5, 0);
        CompletableFuture<HttpResponse<String>> answer =
                CompletableFuture.supplyAsync(() -> api.get("/v1/audit/export?to=5"));
        await().until(() -> api.audit.looks.get() > 0);

        api.audit.log = new LogHead(5, "example.org/log\n5\nroot\n\nsignature\n");

        assertThat(answer.get(10, TimeUnit.SECONDS).body().lines()).hasSize(7);
    }

    @Test
    void aStoreThatIsAwayHalfWayBreaksTheExportOff() {
        api.audit.awayFrom = 2;

        assertThatThrownBy(() -> api.get("/v1/audit/export")).hasMessageContaining("got no answer");

        api.audit.awayFrom = 0;
        assertThat(api.get("/v1/audit/export").statusCode()).isEqualTo(503);
    }

    @Test
    void anExportIsReadAsFastAsItsClientTakesIt() throws Exception {
        api.audit.log = new LogHead(1_000_000, "example.org/log\n1000000\nroot\n\nsignature\n");
        try (Socket client = new Socket("localhost", api.port())) {
            client.setSoTimeout(20_000);
            client.getOutputStream()
                    .write(("GET /v1/audit/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + api.local
                                    + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            // given: a client that reads nothing
            AtomicInteger before = new AtomicInteger(-1);
            await().pollInterval(Duration.ofMillis(500))
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> before.getAndSet(api.audit.reads.get()) == api.audit.reads.get());
            assertThat(before.get()).isBetween(1, 500_000);
            // then: it gets on once it reads
            client.getInputStream().readNBytes(16 << 20);
            await().until(() -> api.audit.reads.get() > before.get());
        }
        await().until(() -> api.metrics.get("vivarium.http.followers").gauge().value() == 0);
    }

    @Test
    void withoutAKeyNothingIsExported() {
        api.audit.log = new LogHead(3, "");

        assertThat(api.get("/v1/audit/export").statusCode()).isEqualTo(404);
    }

    @Test
    void moreTotalsThanAnAnswerMayHaveAreRefusedWithWhatToDo() {
        api.audit.totals = AuditQueries.COUNTS_MAX + 1;

        HttpResponse<String> answer = api.get("/v1/audit/counts?measure=DENIALS");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("detail").asText()).contains("shorter time");
    }
}
