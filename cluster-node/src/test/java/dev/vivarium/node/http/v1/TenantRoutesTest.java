package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Limits;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Quotas over the API: how they are set and shown, and what a tenant is told that is over one. */
@Timeout(60)
class TenantRoutesTest {
    private static final Tenant RESEARCH = new Tenant("research");

    private final TestApi api = new TestApi("");

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void nothingIsLimitedUntilAQuotaIsSet() {
        for (Quota quota : Quota.values()) {
            assertThat(of(usage("research"), quota).path("limit").isNull()).isEqualTo(quota != Quota.WEIGHT);
            assertThat(of(usage("research"), quota).path("from").asText()).isEqualTo("DEFAULT");
        }
    }

    @Test
    void aQuotaHoldsAtOnceAndOthersStayAsTheyAre() {
        api.runs.use(RESEARCH, new TenantUse(3, 1, 3L << 20, 1500, 24, 3L << 10, 0, 0));
        assertThat(set("research", "{\"runs\": 10, \"memory\": \"8Gi\", \"cpu\": 2.5}")
                        .statusCode())
                .isEqualTo(200);

        HttpResponse<String> second = set("research", "{\"runs\": \"11\", \"memory\": \"default\"}");

        assertThat(second.statusCode()).as(second.body()).isEqualTo(200);
        assertThat(TestApi.json(second)).isEqualTo(usage("research"));
        assertThat(of(usage("research"), Quota.RUNS))
                .hasToString("{\"quota\":\"runs\",\"unit\":\"COUNT\",\"limit\":11," + "\"used\":3,\"from\":\"SET\"}");
        assertThat(of(usage("research"), Quota.MEMORY).path("limit").isNull()).isTrue();
        assertThat(of(usage("research"), Quota.CPU))
                .hasToString("{\"quota\":\"cpu\",\"unit\":\"MILLICORES\","
                        + "\"limit\":2500,\"used\":1500,\"from\":\"SET\"}");
        assertThat(of(usage("research"), Quota.READS).path("used").isNull()).isTrue();
        assertThat(usage("research").path("setBy").asText()).isEqualTo("local:operator");
        assertThat(usage("foreign").path("setBy").isNull()).isTrue();
    }

    @Test
    void theListHasTenantsWithQuotasAndTenantsWithRuns() {
        api.runs.use(new Tenant("busy"), new TenantUse(1, 0, 1, 1, 1, 1, 0, 0));
        set("research", "{\"runs\": 1}");
        set("calm", "{\"runs\": 1}");
        set("calm", "{\"runs\": \"default\"}");

        assertThat(TestApi.json(api.get("/v1/tenants")).path("tenants").findValuesAsText("tenant"))
                .containsExactly("busy", "research");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "%2e%2e",
                "..%2f..",
                "Research",
                "RESEARCH",
                "rese%D0%B0rch",
                "%EF%BD%92esearch",
                "research%00",
                "-a",
                "a-",
                ".a",
                "a%20b",
                "a%0ab",
                "%F0%9F%98%80",
            })
    void aNameThatLooksLikeAnotherOneIsRefused(String name) {
        for (HttpResponse<String> answer : List.of(
                api.send(api.request("/v1/tenants/" + name + "/usage").build()),
                api.send(api.request("/v1/tenants/" + name + "/quotas")
                        .header("Content-Type", "application/json")
                        .method("PATCH", BodyPublishers.ofString("{\"runs\": 1}"))
                        .build()))) {
            assertThat(answer.statusCode()).as(answer.body()).isIn(400, 404);
            assertThat(answer.body()).containsAnyOf("lower-case letters", "no-such-resource");
        }
        assertThat(api.tenantStore.list().toCompletableFuture().join()).isEmpty();
    }

    @Test
    void aNameOf63CharactersIsTheLongest() {
        assertThat(set("a".repeat(63), "{\"runs\": 1}").statusCode()).isEqualTo(200);
        assertThat(set("a".repeat(64), "{\"runs\": 1}").statusCode()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                | ''",
                "{\"run\": 1}                      | run",
                "{\"runs\": -1}                    | runs",
                "{\"runs\": 1.5}                   | runs",
                "{\"runs\": \"\"}                  | runs",
                "{\"runs\": null}                  | runs",
                "{\"runs\": []}                    | runs",
                "{\"runs\": true}                  | runs",
                "{\"runs\": \"none\"}              | runs",
                "{\"runs\": 9223372036854775807}   | runs",
                "{\"runs\": 92233720368547758070}  | runs",
                "{\"runs\": 1e400}                 | runs",
                "{\"memory\": \"8 GB\"}            | memory",
                "{\"memory\": -1}                  | memory",
                "{\"cpu\": \"0.0001\"}             | cpu",
                "{\"readsPerSecond\": 1000001}     | readsPerSecond",
                "{\"weight\": 0}                   | weight",
                "{\"weight\": 1001}                | weight",
                "{\"weight\": 1.5}                 | weight",
                "{\"weight\": \"unlimited\"}       | weight",
            })
    void aBadAmountIsNamed(String body, String field) {
        HttpResponse<String> answer = set("research", body);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("type").asText()).endsWith("/invalid-quotas");
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .containsExactly(field);
        assertThat(api.tenantStore.list().toCompletableFuture().join()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "1", "{\"runs\": 1, \"runs\": 2}", "{\"runs\": 1} {}", "\u0000"})
    void aBodyThatIsNoObjectIsRefused(String body) {
        assertThat(set("research", body).statusCode()).isEqualTo(400);
        assertThat(api.tenantStore.list().toCompletableFuture().join()).isEmpty();
    }

    @Test
    void quotasCanBeSetForSoManyTenantsOnly() {
        for (String tenant : List.of("a", "b", "c")) {
            assertThat(set(tenant, "{\"runs\": 1}").statusCode()).isEqualTo(200);
        }

        assertThat(set("d", "{\"runs\": 1}").statusCode()).isEqualTo(409);
        assertThat(set("c", "{\"runs\": 2}").statusCode()).isEqualTo(200);
    }

    @Test
    void changesAtOnceAreAllMade() {
        List<Quota> all = List.of(Quota.RUNS, Quota.WAITING, Quota.PIDS, Quota.SUBMISSIONS);
        all.parallelStream().forEach(quota -> assertThat(
                        set("research", "{\"" + quota + "\": 7}").statusCode())
                .isEqualTo(200));

        all.forEach(quota ->
                assertThat(of(usage("research"), quota).path("limit").asInt()).isEqualTo(7));
    }

    @Test
    void whileTheStoreIsAwayQuotasHoldAndNoneIsSet() {
        set("research", "{\"readsPerSecond\": 0}");
        api.tenantStore.goAway();

        assertThat(set("research", "{\"readsPerSecond\": 100}").statusCode()).isEqualTo(503);
        assertThat(as(api.token(Role.VIEWER, "research"), "/v1/runs").statusCode())
                .isEqualTo(429);
    }

    @Test
    void aTenantSeesItsOwnUsageAndNobodyElses() {
        String own = api.token(Role.VIEWER, "research");

        assertThat(as(own, "/v1/tenants/research/usage").statusCode()).isEqualTo(200);
        HttpResponse<String> foreign = as(own, "/v1/tenants/foreign/usage");
        HttpResponse<String> none = as(own, "/v1/tenants/none/usage");

        assertThat(foreign.statusCode()).isEqualTo(403);
        assertThat(foreign.body()).isEqualTo(none.body());
        assertThat(as(own, "/v1/tenants").statusCode()).isEqualTo(403);
    }

    @Test
    void aNarrowedTokenSeesNoUsageSinceThatIsOfAWholeTenant() {
        String narrow =
                api.token(Role.VIEWER, "research", new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE));

        assertThat(as(narrow, "/v1/tenants/research/usage").statusCode()).isEqualTo(403);
    }

    @Test
    void aSubmissionOverAQuotaIsToldWhichAndWhenToTryAgain() {
        api.runs.exceed(new QuotaExcess(RESEARCH, Quota.MEMORY, 8L << 30, 7L << 30, 2L << 30));

        HttpResponse<String> answer = api.post("/v1/runs", Samples.SMALL_BODY);

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValueAsLong("Retry-After").orElse(0)).isPositive();
        JsonNode problem = TestApi.json(answer);
        assertThat(problem.path("type").asText()).endsWith("/over-quota");
        assertThat(problem.path("detail").asText())
                .isEqualTo("Tenant research has a quota memory of 8Gi and uses 7Gi; this asks for 2Gi more."
                        + " Try again later, or ask an operator for a larger quota.");
        assertThat(problem.path("overQuota"))
                .hasToString("{\"tenant\":\"research\",\"quota\":\"memory\","
                        + "\"limit\":8589934592,\"used\":7516192768,\"asked\":2147483648}");
        assertThat(api.runs.submissions()).isZero();
        assertThat(api.get("/v1/tenants/metrics").body())
                .contains("vivarium_tenant_refusals_total{quota=\"memory\",tenant=\"research\"} 1.0");
        assertThat(api.get("/metrics").body()).as("open to everyone").doesNotContain("research");
    }

    @Test
    void aSubmissionOverTheEgressOfTheDayIsToldWhenTheDayEnds() {
        api.runs.exceed(new QuotaExcess(RESEARCH, Quota.EGRESS, 8L << 30, 7L << 30, 2L << 30));

        HttpResponse<String> answer = api.post("/v1/runs", Samples.SMALL_BODY);

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValueAsLong("Retry-After").orElse(0))
                .isBetween(1L, Duration.ofDays(1).toSeconds());
        assertThat(TestApi.json(answer).path("detail").asText())
                .startsWith("Tenant research has a quota egressBytesPerDay of 8Gi and uses 7Gi; this asks for 2Gi more."
                        + " A run counts with its limit egressBytes until it ends");
    }

    @Test
    void aSubmissionOverWhatMayBeKeptIsToldWhatToDo() {
        api.runs.exceed(new QuotaExcess(RESEARCH, Quota.KEPT, 8L << 30, 7L << 30, 2L << 30));

        HttpResponse<String> answer = api.post("/v1/runs", Samples.SMALL_BODY);

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValue("Retry-After")).contains("60");
        assertThat(TestApi.json(answer).path("detail").asText())
                .startsWith("Tenant research has a quota keptBytes of 8Gi and uses 7Gi; this asks for 2Gi more.")
                .contains("`vivarium tenant set research keptBytes=...`", "vivarium.retention");
    }

    @Test
    void aRepetitionOfAnAcceptedSubmissionIsRefusedByNoQuota() {
        String token = api.token(Role.SUBMITTER, "research");
        HttpResponse<String> first = submit(token, "key");
        set("research", "{\"submissionsPerSecond\": 0, \"runs\": 0}");
        api.runs.exceed(new QuotaExcess(RESEARCH, Quota.RUNS, 0, 1, 1));

        HttpResponse<String> again = submit(token, "key");

        assertThat(again.statusCode()).as(again.body()).isEqualTo(202);
        assertThat(TestApi.json(again).path("id")).isEqualTo(TestApi.json(first).path("id"));
        assertThat(submit(token, "other").statusCode()).isEqualTo(429);
    }

    @Test
    void submissionsASecondAreThoseOfTheRunsTenant() {
        set("research", "{\"submissionsPerSecond\": 2}");
        String token = api.token(Role.SUBMITTER, "research");
        assertThat(submit(token, "1").statusCode()).isEqualTo(202);
        assertThat(submit(token, "2").statusCode()).isEqualTo(202);

        HttpResponse<String> third = submit(token, "3");

        assertThat(third.statusCode()).isEqualTo(429);
        assertThat(third.headers().firstValue("Retry-After")).contains("1");
        assertThat(TestApi.json(third).path("overQuota").path("quota").asText()).isEqualTo("submissionsPerSecond");
        assertThat(submit(api.token(Role.SUBMITTER, "foreign"), "1").statusCode())
                .isEqualTo(202);
        api.clock.pass(Duration.ofMillis(500));
        assertThat(submit(token, "3").statusCode()).isEqualTo(202);
        assertThat(submit(token, "4").statusCode()).isEqualTo(429);
    }

    @Test
    void readsASecondAreCountedForCallersOfTheTenantAndNotForOperators() {
        set("research", "{\"readsPerSecond\": 3}");
        String viewer = api.token(Role.VIEWER, "research");
        String submitter = api.token(Role.SUBMITTER, "research");
        assertThat(as(viewer, "/v1/runs").statusCode()).isEqualTo(200);
        assertThat(as(submitter, "/v1/runs").statusCode()).isEqualTo(200);
        assertThat(as(viewer, "/v1/tenants/research/usage").statusCode()).isEqualTo(200);

        HttpResponse<String> more = as(submitter, "/v1/runs/" + TestApi.UNKNOWN_RUN);

        assertThat(more.statusCode()).isEqualTo(429);
        assertThat(TestApi.json(more).path("overQuota"))
                .hasToString("{\"tenant\":\"research\","
                        + "\"quota\":\"readsPerSecond\",\"limit\":3,\"used\":3,\"asked\":1}");
        assertThat(as(api.token(Role.OPERATOR, "research"), "/v1/runs").statusCode())
                .isEqualTo(200);
        assertThat(as(api.token(Role.VIEWER, "foreign"), "/v1/runs").statusCode())
                .isEqualTo(200);
        assertThat(submit(submitter, "k").statusCode()).isEqualTo(202);
        api.clock.pass(Duration.ofSeconds(1));
        assertThat(as(viewer, "/v1/runs").statusCode()).isEqualTo(200);
    }

    @Test
    void aQuotaThatTheRunsOwnNodeFindsExceededIsAnsweredTheSameWay() {
        api.runs.refuseWith(new SubmitAnswer.OverQuota(new QuotaExcess(RESEARCH, Quota.WAITING, 1, 1, 1)));

        HttpResponse<String> answer = api.post("/v1/runs", Samples.SMALL_BODY);

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(TestApi.json(answer).path("overQuota").path("quota").asText())
                .isEqualTo("waiting");
    }

    private HttpResponse<String> set(String tenant, String body) {
        return api.exchange(api.request("/v1/tenants/" + tenant + "/quotas")
                .header("Content-Type", "application/json")
                .method("PATCH", BodyPublishers.ofString(body))
                .build());
    }

    private JsonNode usage(String tenant) {
        return TestApi.json(api.get("/v1/tenants/" + tenant + "/usage"));
    }

    private static JsonNode of(JsonNode usage, Quota quota) {
        List<JsonNode> found = new ArrayList<>();
        usage.path("quotas").forEach(each -> {
            if (each.path("quota").asText().equals(quota.toString())) {
                found.add(each);
            }
        });
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private HttpResponse<String> submit(String token, String key) {
        return api.exchange(api.as(token, "/v1/runs")
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key)
                .POST(BodyPublishers.ofString(Samples.SMALL_BODY))
                .build());
    }

    private HttpResponse<String> as(String token, String path) {
        return api.exchange(api.as(token, path).build());
    }
}
