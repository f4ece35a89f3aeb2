package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.run.RenewAnswer;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.Usage;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunRoutesTest {
    private final TestApi api = new TestApi("");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void aSubmittedRunIsAcknowledgedWithItsLocationAndVisibleImmediately() {
        HttpResponse<String> answer = api.post("/v1/runs", Samples.FULL_BODY);

        assertThat(answer.statusCode()).isEqualTo(202);
        String location = answer.headers().firstValue("Location").orElseThrow();
        assertThat(location)
                .isEqualTo("/v1/runs/" + TestApi.json(answer).path("id").asText());
        JsonNode run = TestApi.json(api.get(location));
        assertThat(run).isEqualTo(TestApi.json(answer));
        assertThat(run.path("status").asText()).isEqualTo("SUBMITTED");
        assertThat(run.path("exitCode").isNull()).isTrue();
        assertThat(run.path("submittedAt").asText()).isEqualTo("2026-11-24T12:00:00Z");
        assertThat(run.path("spec").path("limits").path("memory").asText()).isEqualTo("256Mi");
        assertThat(run.path("spec").path("egress").path("mode").asText()).isEqualTo("public");
        assertThat(run.path("spec").path("isolation").asText()).isEqualTo("container");
        assertThat(run.path("spec").path("secrets").toString()).isEqualTo("[\"OPENAI_API_KEY\"]");
        assertThat(run.path("spec").path("files").path("agent.py").path("size").asInt())
                .isEqualTo(3);
        assertThat(answer.body()).doesNotContain("…");
    }

    @Test
    void everyBadFieldIsNamedInOneProblem() {
        HttpResponse<String> answer =
                api.post("/v1/runs", "{\"image\": 1, \"limits\": {\"memory\": \"5Gi\"}, \"colour\": \"red\"}");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        JsonNode problem = TestApi.json(answer);
        assertThat(problem.path("type").asText()).isEqualTo("https://vivarium.dev/problems/invalid-run");
        assertThat(problem.path("errors").findValuesAsText("field"))
                .containsExactlyInAnyOrder("image", "limits.memory", "colour", "command");
    }

    @Test
    void aRetryUnderAnIdempotencyKeyIsTheSameRunAndAnotherBodyAConflict() {
        HttpResponse<String> first = api.post("/v1/runs", Samples.FULL_BODY, "Idempotency-Key", "key-1");
        HttpResponse<String> again = api.post("/v1/runs", Samples.FULL_BODY, "Idempotency-Key", "key-1");
        HttpResponse<String> other = api.post("/v1/runs", Samples.SMALL_BODY, "Idempotency-Key", "key-1");

        assertThat(again.statusCode()).isEqualTo(202);
        assertThat(again.body()).isEqualTo(first.body());
        assertThat(first.headers().firstValue("Idempotent-Replayed")).isEmpty();
        assertThat(again.headers().firstValue("Idempotent-Replayed")).hasValue("true");
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(problem(other)).isEqualTo("idempotency-conflict");
        assertThat(problem(api.post("/v1/runs", Samples.SMALL_BODY, "Idempotency-Key", "with space")))
                .isEqualTo("invalid-header");
    }

    @Test
    void aBodyThatIsNotJsonIsRefused() {
        assertThat(problem(api.post("/v1/runs", "{\"image\": "))).isEqualTo("malformed-json");
        assertThat(problem(api.post("/v1/runs", ""))).isEqualTo("malformed-json");
        HttpResponse<String> notUtf8 = api.exchange(api.request("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(new byte[] {'"', (byte) 0xc3, '"'}))
                .build());
        assertThat(problem(notUtf8)).isEqualTo("malformed-json");
        assertThat(TestApi.json(notUtf8).path("detail").asText()).contains("UTF-8 at byte 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"})
    void aBodyOfAnotherMediaTypeIsRefused(String type) {
        HttpResponse<String> answer = api.exchange(api.request("/v1/runs")
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(Samples.SMALL_BODY))
                .build());

        assertThat(answer.statusCode()).isEqualTo(415);
        assertThat(problem(answer)).isEqualTo("unsupported-media-type");
    }

    @Test
    void aBodyInAnotherCharsetIsRefused() {
        HttpResponse<String> answer = api.exchange(api.request("/v1/runs")
                .header("Content-Type", "application/json; charset=latin1")
                .POST(BodyPublishers.ofString(
                        "{\"image\": \"a\", \"command\": [\"caf\u00e9\"]}", StandardCharsets.ISO_8859_1))
                .build());

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("detail").asText()).contains("not valid UTF-8 at byte 31");
    }

    @Test
    void aCompressedBodyIsRefusedWithTheAcceptedEncodings() {
        HttpResponse<String> answer = api.post("/v1/runs", Samples.SMALL_BODY, "Content-Encoding", "gzip");

        assertThat(answer.statusCode()).isEqualTo(415);
        assertThat(problem(answer)).isEqualTo("unsupported-media-type");
        assertThat(answer.headers().firstValue("Accept-Encoding")).hasValue("identity");
    }

    @Test
    void aBodyWithoutAMediaTypeIsRefused() {
        HttpResponse<String> answer = api.exchange(api.request("/v1/runs")
                .POST(BodyPublishers.ofString(Samples.SMALL_BODY))
                .build());

        assertThat(answer.statusCode()).isEqualTo(415);
    }

    @Test
    void aNodeThatIsFullOrLeavingSaysWhenToTryAgain() {
        api.runs.refuseWith(new SubmitAnswer.Full(40));
        HttpResponse<String> full = api.post("/v1/runs", Samples.SMALL_BODY);
        api.runs.refuseWith(new SubmitAnswer.TenantFull(new Tenant("blue")));
        HttpResponse<String> tenantFull = api.post("/v1/runs", Samples.SMALL_BODY);
        api.runs.refuseWith(new SubmitAnswer.Draining());
        HttpResponse<String> draining = api.post("/v1/runs", Samples.SMALL_BODY);
        api.runs.refuseWith(new SubmitAnswer.NotDurable());
        HttpResponse<String> notDurable = api.post("/v1/runs", Samples.SMALL_BODY);

        assertThat(full.statusCode()).isEqualTo(429);
        assertThat(problem(full)).isEqualTo("node-full");
        assertThat(full.headers().firstValue("Retry-After")).hasValue("5");
        assertThat(tenantFull.statusCode()).isEqualTo(429);
        assertThat(problem(tenantFull)).isEqualTo("tenant-full");
        assertThat(tenantFull.body()).contains("tenant blue");
        assertThat(tenantFull.headers().firstValue("Retry-After")).hasValue("5");
        assertThat(draining.statusCode()).isEqualTo(503);
        assertThat(problem(draining)).isEqualTo("draining");
        assertThat(draining.headers().firstValue("Retry-After")).hasValue("5");
        assertThat(notDurable.statusCode()).isEqualTo(503);
        assertThat(problem(notDurable)).isEqualTo("store-unavailable");
        assertThat(notDurable.headers().firstValue("Retry-After")).hasValue("5");
    }

    @Test
    void aRunThatNoNodeIsLargeEnoughForIsRefusedWithTheLimitThatFits() {
        api.runs.refuseWith(new SubmitAnswer.TooLarge(new Capacity(9, 1L << 30, Capacity.UNLIMITED)));

        HttpResponse<String> answer = api.post("/v1/runs", Samples.SMALL_BODY);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(problem(answer)).isEqualTo("invalid-run");
        assertThat(answer.body()).contains("limits.memory").contains("1Gi").doesNotContain("limits.cpu");
    }

    @Test
    void aWaitingRunShowsItsPosition() {
        RunId run = api.submitted();
        api.runs.happen(run, new RunEvent.RunQueued(InMemoryRuns.NOON, "node-1"));

        HttpResponse<String> answer = api.get("/v1/runs/" + run);

        assertThat(TestApi.json(answer).path("status").asText()).isEqualTo("QUEUED");
        assertThat(TestApi.json(answer).path("queue").path("position").asInt()).isEqualTo(2);
        assertThat(TestApi.json(answer).path("queue").path("waiting").asInt()).isEqualTo(3);
    }

    @Test
    void nothingIsAcknowledgedWhileTheStoreIsAway() {
        RunId run = api.submitted();
        api.runs.goAway();

        for (HttpResponse<String> answer : List.of(
                api.post("/v1/runs", Samples.SMALL_BODY),
                api.get("/v1/runs"),
                api.get("/v1/runs/" + run),
                api.get("/v1/runs/" + run + "/output?follow=true"),
                api.get("/v1/runs/" + run + "/events"),
                api.post("/v1/runs/" + run + "/cancel", ""))) {
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(problem(answer)).isEqualTo("store-unavailable");
            assertThat(answer.headers().firstValue("Retry-After")).hasValue("5");
            assertThat(answer.body()).doesNotContain("secret detail");
        }
    }

    @Test
    void anUnexpectedFailureRevealsOnlyAnIncidentId() {
        RunId run = api.submitted();
        api.runs.failWith(new IllegalStateException("password=hunter2"));

        HttpResponse<String> answer = api.get("/v1/runs/" + run);

        assertThat(answer.statusCode()).isEqualTo(500);
        assertThat(problem(answer)).isEqualTo("internal-error");
        assertThat(answer.body())
                .doesNotContain("hunter2")
                .doesNotContain("IllegalState")
                .containsPattern("incident [0-9a-z]{26}");
    }

    @Test
    void aKilledRunShowsReasonMeasurementAndLimit() {
        RunId run = api.running();
        api.runs.happen(
                run,
                new RunEvent.RunKilled(
                        InMemoryRuns.NOON,
                        "node-1",
                        1,
                        KillReason.WALL_CLOCK,
                        Optional.of(Measurement.millis(5003, 5000)),
                        Usage.NONE
                                .with(Limit.WALL_CLOCK, 5003)
                                .with(Limit.CPU_TIME, 4990)
                                .with(Limit.MEMORY, 12345678)
                                .with(Limit.DISK, 0)
                                .with(Limit.FILES, 0)
                                .with(Limit.OUTPUT, 10)
                                .with(Limit.PIDS, 3)));

        JsonNode view = TestApi.json(api.get("/v1/runs/" + run));

        assertThat(view.path("status").asText()).isEqualTo("KILLED");
        assertThat(view.path("reason").asText()).isEqualTo("WALL_CLOCK");
        assertThat(view.path("measurement").path("measured").asLong()).isEqualTo(5003);
        assertThat(view.path("usage").path("wallMillis").asLong()).isEqualTo(5003);
        assertThat(view.path("finishedAt").asText()).isEqualTo("2026-11-24T12:00:00Z");
    }

    @Test
    void cancellingIsNotedAndIdempotent() {
        RunId run = api.running();

        HttpResponse<String> first = api.exchange(api.request("/v1/runs/" + run + "/cancel")
                .POST(BodyPublishers.noBody())
                .build());
        HttpResponse<String> second = api.post("/v1/runs/" + run + "/cancel", "");

        assertThat(first.statusCode()).isEqualTo(202);
        assertThat(TestApi.json(first).path("cancelRequestedAt").isNull()).isFalse();
        assertThat(second.statusCode()).isEqualTo(202);
    }

    @Test
    void aDeadlineIsMovedAndTheSameRequestAgainChangesNothing() {
        RunId run = api.running();

        HttpResponse<String> first = api.post("/v1/runs/" + run + "/deadline", "{\"wallClock\": \"600s\"}");
        HttpResponse<String> second = api.post("/v1/runs/" + run + "/deadline", "{\"wallClock\": \"10m\"}");

        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(TestApi.json(first).path("wallClock").asText()).isEqualTo("10m");
        assertThat(TestApi.json(first)
                        .path("spec")
                        .path("limits")
                        .path("wallClock")
                        .asText())
                .as("as it was submitted")
                .isEqualTo("5m");
        assertThat(second.statusCode()).isEqualTo(200);
        assertThat(TestApi.json(api.get("/v1/runs/" + run + "/events")).path("events"))
                .filteredOn(event -> event.path("type").asText().equals("DeadlineMoved"))
                .hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"wallClock\": \"-5m\"}",
                "{\"wallClock\": \"0s\"}",
                "{\"wallClock\": \"25h\"}",
                "{\"wallClock\": 600}",
                "{\"wallClock\": null}",
                "{\"wallClock\": \"5m\", \"by\": \"5m\"}",
                "{}"
            })
    void aDeadlineThatCannotBeIsRefusedWithItsField(String body) {
        RunId run = api.running();

        HttpResponse<String> answer = api.post("/v1/runs/" + run + "/deadline", body);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(problem(answer)).isEqualTo("invalid-renewal");
        assertThat(TestApi.json(answer).path("errors")).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(RenewAnswer.Reason.class)
    void aDeadlineThatStaysIsAConflictWithASentence(RenewAnswer.Reason reason) {
        RunId run = api.running();
        api.runs.refuseRenewals(reason);

        HttpResponse<String> answer = api.post("/v1/runs/" + run + "/deadline", "{\"wallClock\": \"10m\"}");

        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(problem(answer)).isEqualTo("deadline-stays");
        assertThat(TestApi.json(answer).path("detail").asText()).contains(": ").endsWith(".");
    }

    @Test
    void theDeadlineOfAnEndedRunStays() {
        RunId run = api.running();
        api.succeed(run);

        HttpResponse<String> answer = api.post("/v1/runs/" + run + "/deadline", "{\"wallClock\": \"10m\"}");

        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(TestApi.json(answer).path("detail").asText()).isEqualTo("The run has ended: submit another one.");
    }

    @ParameterizedTest
    @ValueSource(strings = {TestApi.UNKNOWN_RUN, "nonsense", "..%2f..%2fetc", "01JD4H5S2M8X7K9Q3V6W0T1Y2Z"})
    void aRunThatDoesNotExistIsNotFound(String id) {
        for (HttpResponse<String> answer : List.of(
                api.get("/v1/runs/" + id),
                api.get("/v1/runs/" + id + "/output?follow=true"),
                api.get("/v1/runs/" + id + "/events", "Accept", "text/event-stream"),
                api.post("/v1/runs/" + id + "/cancel", ""),
                api.post("/v1/runs/" + id + "/deadline", "{\"wallClock\": \"10m\"}"))) {
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(problem(answer)).isEqualTo("no-such-run");
        }
    }

    @Test
    void theListAcceptsEveryFilter() {
        api.submitted();

        HttpResponse<String> page = api.get("/v1/runs?status=RUNNING,KILLED&status=LOST&tenant=t1&label=team%3Dresearch"
                + "&label=x%3D&since=2026-11-24T13%3A00%3A00%2B01%3A00&limit=7");

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(TestApi.json(page).path("next").asText()).isEqualTo("next-page");
        assertThat(TestApi.json(page).path("runs")).hasSize(1);
        assertThat(api.runs.lastQuery())
                .isEqualTo(new RunIndex.Query(
                        Set.of(RunStatus.RUNNING, RunStatus.KILLED, RunStatus.LOST),
                        Map.of("tenant", "t1", "team", "research", "x", ""),
                        Optional.of(Instant.parse("2026-11-24T12:00:00Z")),
                        Optional.empty(),
                        7));
    }

    @ParameterizedTest
    @CsvSource({
        "status=running,       status",
        "label=team,           label",
        "label=%3Dx,           label",
        "label=a%3D1&label=a%3D2, label",
        "tenant=a&label=tenant%3Db, tenant",
        "since=yesterday,      since",
        "limit=0,              limit",
        "limit=501,            limit",
        "limit=many,           limit",
        "limit=1&limit=2,      limit",
        "statuss=RUNNING,      statuss",
        "cursor=x,             cursor",
    })
    void aWrongConditionIsNamed(String query, String field) {
        HttpResponse<String> answer = api.get("/v1/runs?" + query);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(problem(answer)).isEqualTo("invalid-query");
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .containsExactly(field);
    }

    private static String problem(HttpResponse<String> answer) {
        return TestApi.json(answer).path("type").asText().replace("https://vivarium.dev/problems/", "");
    }
}
