package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.http.server.Operation;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.protocol.access.Permission;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunId;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** What each role may do, and that a tenant is a border. */
@Timeout(60)
class RolesAndTenantsTest {
    private static final String DIGEST = "0".repeat(64);

    private final TestApi api = new TestApi("");

    @AfterEach
    void stop() {
        api.close();
    }

    /** Every operation, as every role in the run's tenant, as every role in a foreign one, and as nobody. */
    @TestFactory
    List<DynamicTest> everyOperationAsEveryone() {
        RunId run = submitted("research", "");
        List<DynamicTest> tests = new java.util.ArrayList<>();
        for (Operation operation : api.operations()) {
            tests.add(walk(operation, "nobody", Optional.empty(), run, "research"));
            for (Role role : Role.values()) {
                for (String tenant : List.of("research", "foreign")) {
                    tests.add(
                            walk(operation, role + " of " + tenant, Optional.of(api.token(role, tenant)), run, tenant));
                }
            }
        }
        assertThat(api.operations().stream().map(Operation::toString))
                .containsExactlyInAnyOrderElementsOf(OpenApiDocument.operations());
        return tests;
    }

    private DynamicTest walk(Operation operation, String who, Optional<String> token, RunId run, String tenant) {
        return DynamicTest.dynamicTest(operation + " as " + who, () -> {
            String path = operation
                    .path()
                    .toString()
                    .replace("/runs/{id}", "/runs/" + run)
                    .replace("{id}", "0123456789abcdef")
                    .replace("{tenant}", "research")
                    .replace("{name}", "git-token")
                    .replace("{digest}", DIGEST)
                    .replace("{seq}", "1")
                    .replace("{path}", "a");
            var request = token.map(text -> api.as(text, path)).orElseGet(() -> api.anonymous(path));
            HttpResponse<String> answer =
                    api.exchange(request.method(operation.method().name(), BodyPublishers.noBody())
                            .build());
            assertThat(answer.statusCode()).as(answer.body()).satisfies(status -> assertThat(
                            expected(operation, who, tenant, path))
                    .contains(status));
        });
    }

    /** The possible statuses: of those who may, what the operation answers to an empty request. */
    private static List<Integer> expected(Operation operation, String who, String tenant, String path) {
        Optional<Permission> needed = operation.needs();
        if (needed.isEmpty()) {
            return List.of(200);
        }
        if (who.equals("nobody")) {
            return List.of(401);
        }
        Role role = Role.parse(who.split(" ", 2)[0]);
        if (!role.has(needed.get())) {
            return List.of(403);
        }
        boolean ofARun = path.startsWith("/v1/runs/") && !path.endsWith("/deadline");
        if (ofARun && role != Role.OPERATOR && !tenant.equals("research")) {
            return List.of(404);
        }
        return switch (operation.toString()) {
            case "POST /v1/runs",
                    "POST /v1/tokens",
                    "POST /v1/secrets",
                    "POST /v1/runs/{id}/deadline",
                    "PUT /v1/tenants/{tenant}/webhooks",
                    "PUT /v1/audit/holds/{tenant}",
                    "PATCH /v1/tenants/{tenant}/quotas" -> List.of(415);
            case "POST /v1/tenants/{tenant}/webhooks/key" -> List.of(201);
            case "GET /v1/tenants/{tenant}/usage", "GET /v1/tenants/{tenant}/webhooks" -> List.of(
                    role == Role.OPERATOR || tenant.equals("research") ? 200 : 403);
            case "POST /v1/runs/{id}/cancel", "POST /v1/audit/check" -> List.of(202);
            case "GET /v1/runs/{id}/artifacts/{path}",
                    "HEAD /v1/blobs/{digest}",
                    "DELETE /v1/blobs/{digest}",
                    "POST /v1/runs/{id}/webhooks/{seq}/repeat",
                    "DELETE /v1/tokens/{id}",
                    "DELETE /v1/secrets/{name}",
                    "DELETE /v1/audit/holds/{tenant}",
                    "POST /v1/tokens/{id}/rotate" -> List.of(404);
            case "PUT /v1/blobs/{digest}" -> List.of(422);
            case "DELETE /v1/runs/{id}/output", "DELETE /v1/runs/{id}/artifacts" -> List.of(409);
            case "GET /v1/audit/tile/{path}" -> List.of(404);
            case "GET /v1/audit/counts", "GET /v1/audit/consistency" -> List.of(400);
            default -> List.of(200);
        };
    }

    @Test
    void theTableOfTheDocumentationIsThatOfTheCode() throws Exception {
        String roles = Arrays.stream(Role.values()).map(Role::toString).collect(Collectors.joining(" | "));
        StringBuilder table =
                new StringBuilder("| operation | needs | everyone | " + roles + " |\n|---|---|---|---|---|---|---|\n");
        for (Operation operation : api.operations()) {
            table.append("| `").append(operation).append("` | ");
            table.append(operation.needs().map(Enum::name).orElse("")).append(" | ");
            table.append(operation.needs().isEmpty() ? "yes" : "").append(" | ");
            table.append(Arrays.stream(Role.values())
                    .map(role -> operation.needs().map(role::has).orElse(true))
                    .map(may -> may ? "yes" : "")
                    .collect(Collectors.joining(" | ")));
            table.append(" |\n");
        }
        assertThat(Files.readString(Path.of("..", "SECURITY.md"))).contains(table);
    }

    @Test
    void aForeignRunAnswersExactlyAsOneThatThereIsNot() {
        RunId run = submitted("research", "");
        String stranger = api.token(Role.SUBMITTER, "foreign");

        for (String rest : List.of("", "/output", "/events", "/artifacts", "/artifacts/a", "/webhooks")) {
            HttpResponse<String> foreign = as(stranger, "/v1/runs/" + run + rest);
            HttpResponse<String> none = as(stranger, "/v1/runs/" + TestApi.UNKNOWN_RUN + rest);
            assertThat(foreign.statusCode()).isEqualTo(404).isEqualTo(none.statusCode());
            assertThat(foreign.body()).isEqualTo(none.body());
            assertThat(foreign.headers().map().keySet())
                    .isEqualTo(none.headers().map().keySet());
        }
        for (String change : List.of("/cancel", "/deadline", "/webhooks/1/repeat")) {
            HttpResponse<String> foreign = change(stranger, run.value(), change);
            HttpResponse<String> none = change(stranger, TestApi.UNKNOWN_RUN, change);
            assertThat(foreign.statusCode()).as(foreign.body()).isEqualTo(404).isEqualTo(none.statusCode());
            assertThat(foreign.body()).isEqualTo(none.body());
        }
        assertThat(TestApi.json(api.get("/v1/runs/" + run)).path("status").asText())
                .isNotEqualTo("CANCELLED");
    }

    private HttpResponse<String> change(String token, String run, String path) {
        return api.exchange(api.as(token, "/v1/runs/" + run + path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"wallClock\": \"20s\"}"))
                .build());
    }

    @Test
    void aSubmissionIsOfTheTenantOfItsToken() {
        String token = api.token(Role.SUBMITTER, "research");

        HttpResponse<String> own = submit(token, Samples.SMALL_BODY);

        assertThat(own.statusCode()).isEqualTo(202);
        assertThat(TestApi.json(own).path("spec").path("labels").path("tenant").asText())
                .isEqualTo("research");
        assertThat(as(token, "/v1/runs/" + TestApi.json(own).path("id").asText())
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void aSubmissionForAnotherTenantIsForbidden() {
        HttpResponse<String> foreign =
                submit(api.token(Role.SUBMITTER, "research"), labelled("\"tenant\": \"foreign\""));

        assertThat(foreign.statusCode()).isEqualTo(403);
        assertThat(errors(foreign)).containsExactly("labels.tenant");
    }

    @Test
    void aListAsksForTheCallersTenantOnly() {
        String token = api.token(Role.VIEWER, "research");

        as(token, "/v1/runs");
        assertThat(api.runs.lastQuery().labels()).containsEntry("tenant", "research");

        assertThat(as(token, "/v1/runs?tenant=foreign").statusCode()).isEqualTo(400);
        assertThat(as(token, "/v1/runs?label=tenant%3Dforeign").statusCode()).isEqualTo(400);
    }

    @Test
    void aContentIsItsTenantsAndItsDigestAloneClaimsNothing() {
        byte[] content = "secret".getBytes(StandardCharsets.UTF_8);
        String digest = Digest.of(content).hex();
        String owner = api.token(Role.SUBMITTER, "research");
        String stranger = api.token(Role.SUBMITTER, "foreign");
        assertThat(api.exchange(api.as(owner, "/v1/blobs/" + digest)
                                .PUT(BodyPublishers.ofByteArray(content))
                                .build())
                        .statusCode())
                .isEqualTo(201);

        assertThat(head(owner, "/v1/blobs/" + digest)).isEqualTo(200);
        assertThat(head(stranger, "/v1/blobs/" + digest)).isEqualTo(404);
        assertThat(head(stranger, "/v1/blobs/" + digest + "?tenant=research")).isEqualTo(403);
        String files = Samples.SMALL_BODY.substring(0, Samples.SMALL_BODY.lastIndexOf('}'))
                + ", \"files\": {\"a\": {\"digest\": \"" + digest + "\"}}}";
        assertThat(submit(stranger, files).statusCode()).isEqualTo(400);
        assertThat(submit(owner, files).statusCode()).isEqualTo(202);
    }

    @Test
    void anIdempotencyKeyIsATenants() {
        HttpResponse<String> own = submit(api.token(Role.SUBMITTER, "research"), Samples.SMALL_BODY, "key");
        HttpResponse<String> foreign = submit(api.token(Role.SUBMITTER, "foreign"), Samples.SMALL_BODY, "key");

        assertThat(own.statusCode()).isEqualTo(202).isEqualTo(foreign.statusCode());
        assertThat(TestApi.json(own).path("id"))
                .isNotEqualTo(TestApi.json(foreign).path("id"));
        assertThat(foreign.headers().firstValue("Idempotent-Replayed")).isEmpty();
    }

    @Test
    void aNarrowedTokenStartsOnlyWhatItIsNarrowedTo() {
        String token = api.token(
                Role.SUBMITTER,
                "research",
                new Scope(
                        Map.of("team", "a"),
                        Optional.of("vivarium/other"),
                        Limits.NONE.with(Limit.MEMORY, "16Mi").with(Limit.PIDS, "8")));

        HttpResponse<String> beyond = submit(
                token,
                Samples.SMALL_BODY.substring(0, Samples.SMALL_BODY.lastIndexOf('}'))
                        + ", \"limits\": {\"memory\": \"17Mi\"}}");

        assertThat(beyond.statusCode()).isEqualTo(403);
        assertThat(errors(beyond)).containsExactly("labels.team", "image", "limits.memory");
    }

    @Test
    void aNarrowedTokenSeesOnlyRunsWithItsLabels() {
        String token = api.token(
                Role.SUBMITTER,
                "research",
                new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE.with(Limit.PIDS, "8")));
        RunId others = submitted("research", "\"team\": \"b\"");

        HttpResponse<String> own = submit(token, labelled("\"team\": \"a\""));

        assertThat(own.statusCode()).as(own.body()).isEqualTo(202);
        assertThat(TestApi.json(own).path("spec").path("limits").path("pids").asInt())
                .isEqualTo(8);
        assertThat(as(token, "/v1/runs/" + TestApi.json(own).path("id").asText())
                        .statusCode())
                .isEqualTo(200);
        assertThat(as(token, "/v1/runs/" + others).statusCode()).isEqualTo(404);
        as(token, "/v1/runs");
        assertThat(api.runs.lastQuery().labels()).containsEntry("team", "a");
    }

    @Test
    void anAuditorFindsEventsOfItsTenantOnly() {
        String token = api.token(Role.AUDITOR, "research");

        for (String query : List.of("", "?tenant=research", "?run=" + TestApi.UNKNOWN_RUN, "?label=tenant=foreign")) {
            assertThat(as(token, "/v1/audit/events" + query).statusCode()).isEqualTo(200);
        }
        assertThat(api.audit.asked).hasSize(4).allSatisfy(asked -> assertThat(
                        asked.filter().words().get(Field.TENANT))
                .containsExactly("research"));

        for (String query : List.of("?tenant=foreign", "?tenant=research&tenant=foreign", "?tenant=")) {
            HttpResponse<String> foreign = as(token, "/v1/audit/events" + query);
            assertThat(foreign.statusCode()).isEqualTo(400);
            assertThat(errors(foreign)).containsOnly("tenant");
        }
        assertThat(api.audit.asked).hasSize(4);
    }

    @Test
    void anAuditorExportsEventsOfItsTenantAndScopeOnly() {
        String token = api.token(Role.AUDITOR, "research");
        String narrow =
                api.token(Role.AUDITOR, "research", new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE));

        assertThat(as(token, "/v1/audit/export").statusCode()).isEqualTo(200);
        assertThat(as(narrow, "/v1/audit/export?tenant=research").statusCode()).isEqualTo(200);
        assertThat(as(api.token(Role.OPERATOR, "research"), "/v1/audit/export").statusCode())
                .isEqualTo(200);
        assertThat(errors(as(token, "/v1/audit/export?tenant=foreign"))).containsOnly("tenant");

        assertThat(api.audit.exported.stream().map(range -> range.filter().conditions()))
                .containsExactly(
                        Map.of("tenant", List.of("research")),
                        Map.of("tenant", List.of("research"), "label", List.of("team=a")),
                        Map.of());
    }

    @Test
    void anOperatorFindsEventsOfAllTenants() {
        String token = api.token(Role.OPERATOR, "research");

        as(token, "/v1/audit/events");
        as(token, "/v1/audit/events?tenant=foreign");

        assertThat(api.audit.asked.get(0).filter().words()).isEmpty();
        assertThat(api.audit.asked.get(1).filter().words().get(Field.TENANT)).containsExactly("foreign");
    }

    @Test
    void aNarrowedAuditorFindsOnlyEventsOfRunsWithItsLabels() {
        String token =
                api.token(Role.AUDITOR, "research", new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE));

        assertThat(as(token, "/v1/audit/events?label=x=1").statusCode()).isEqualTo(200);
        assertThat(as(token, "/v1/audit/events?label=team=b").statusCode()).isEqualTo(400);

        assertThat(api.audit.asked).hasSize(1);
        assertThat(api.audit.asked.get(0).filter().labels()).containsOnly(Map.entry("team", "a"), Map.entry("x", "1"));
    }

    @Test
    void anAuditorCountsItsTenantOnly() {
        String token = api.token(Role.AUDITOR, "research");

        assertThat(as(token, "/v1/audit/counts?measure=RUNS").statusCode()).isEqualTo(200);
        assertThat(as(token, "/v1/audit/counts?measure=RUNS&tenant=research").statusCode())
                .isEqualTo(200);
        assertThat(as(token, "/v1/audit/counts?measure=RUNS&tenant=foreign").statusCode())
                .isEqualTo(400);
        assertThat(api.audit.counted).containsExactly(Optional.of("research"), Optional.of("research"));

        as(api.token(Role.OPERATOR, "research"), "/v1/audit/counts?measure=RUNS");
        assertThat(api.audit.counted).last().isEqualTo(Optional.empty());
    }

    @Test
    void aNarrowedAuditorCountsNothingSinceTotalsAreOfWholeTenants() {
        String token =
                api.token(Role.AUDITOR, "research", new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE));

        HttpResponse<String> answer = as(token, "/v1/audit/counts?measure=RUNS");

        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(TestApi.json(answer).path("detail").asText()).contains("whole tenants");
        assertThat(api.audit.counted).isEmpty();
    }

    private RunId submitted(String tenant, String labels) {
        String all = "\"tenant\": \"" + tenant + "\"" + (labels.isEmpty() ? "" : ", " + labels);
        HttpResponse<String> answer = submit(api.local, labelled(all));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return new RunId(TestApi.json(answer).path("id").asText());
    }

    private static String labelled(String labels) {
        return Samples.SMALL_BODY.substring(0, Samples.SMALL_BODY.lastIndexOf('}')) + ", \"labels\": {" + labels + "}}";
    }

    private HttpResponse<String> submit(String token, String body, String... key) {
        var request = api.as(token, "/v1/runs").header("Content-Type", "application/json");
        for (String given : key) {
            request.header("Idempotency-Key", given);
        }
        return api.exchange(request.POST(BodyPublishers.ofString(body)).build());
    }

    private HttpResponse<String> as(String token, String path) {
        return api.exchange(api.as(token, path).build());
    }

    private int head(String token, String path) {
        return api.exchange(api.as(token, path)
                        .method("HEAD", BodyPublishers.noBody())
                        .build())
                .statusCode();
    }

    private static List<String> errors(HttpResponse<String> answer) {
        List<String> fields = new java.util.ArrayList<>();
        for (JsonNode error : TestApi.json(answer).path("errors")) {
            fields.add(error.path("field").asText());
        }
        return fields;
    }
}
