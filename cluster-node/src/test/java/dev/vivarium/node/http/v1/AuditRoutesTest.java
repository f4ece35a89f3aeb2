package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditQuery;
import dev.vivarium.protocol.api.AuditHead;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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
    void aRequestMayWaitForAPosition() throws Exception {
        CompletableFuture<HttpResponse<String>> answer =
                CompletableFuture.supplyAsync(() -> api.get("/v1/audit/events?after=7"));
        api.audit.head = new AuditHead(7, 0);
        assertThat(answer).isNotDone();

        api.audit.head = new AuditHead(8, 0);

        assertThat(answer.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }

    @Test
    void moreTotalsThanAnAnswerMayHaveAreRefusedWithWhatToDo() {
        api.audit.totals = AuditQueries.COUNTS_MAX + 1;

        HttpResponse<String> answer = api.get("/v1/audit/counts?measure=DENIALS");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("detail").asText()).contains("shorter time");
    }
}
