package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.admission.SecretReader;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.SecretName;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Secrets of tenants over HTTP. */
class SecretRoutesTest {
    private static final String NAMING =
            Samples.SMALL_BODY.replace("\"command\"", "\"namedSecrets\": {\"TOKEN\": \"git-token\"}, \"command\"");

    private final TestApi api = new TestApi("");
    private final String research = api.token(Role.SUBMITTER, "research");
    private final String foreign = api.token(Role.SUBMITTER, "foreign");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void aSecretIsListedWithoutItsValueAndOnlyToItsTenant() {
        JsonNode put = TestApi.json(put(research, "git-token", "hush"));
        JsonNode again = TestApi.json(put(research, "git-token", "hush hush"));

        assertThat(put.path("version").asLong()).isEqualTo(1);
        assertThat(again.path("version").asLong()).isEqualTo(2);
        assertThat(again.path("tenant").asText()).isEqualTo("research");
        HttpResponse<String> list = get(api.token(Role.VIEWER, "research"), "/v1/secrets");
        assertThat(list.body()).contains("git-token").doesNotContain("hush");
        assertThat(put.toString()).doesNotContain("hush");
        assertThat(TestApi.json(get(foreign, "/v1/secrets")).path("secrets")).isEmpty();
        assertThat(TestApi.json(api.get("/v1/secrets?tenant=research")).path("secrets"))
                .hasSize(1);
        assertThat(get(foreign, "/v1/secrets?tenant=research").statusCode()).isEqualTo(403);
    }

    @Test
    void whoPutAndRemovedASecretIsOnRecordBeforeItIsDone() {
        put(research, "git-token", "hush");
        assertThat(delete(research, "git-token").statusCode()).isEqualTo(200);
        assertThat(delete(research, "git-token").statusCode()).isEqualTo(404);

        List<Act> acts = api.acts.all.stream()
                .filter(act -> !(act instanceof Act.TokenCreated))
                .toList();
        Act.SecretPut put = (Act.SecretPut) acts.get(0);
        assertThat(put.secret()).isEqualTo(new SecretName("git-token"));
        assertThat(put.version()).isEqualTo(1);
        assertThat(put.tenant()).isEqualTo(new Tenant("research"));
        assertThat(acts.get(1)).isInstanceOf(Act.SecretRemoved.class);
        assertThat(acts).hasSize(2);
        assertThat(acts.toString()).doesNotContain("hush");
    }

    @Test
    void aForeignSecretAnswersExactlyAsOneThatThereIsNot() {
        put(research, "git-token", "hush");

        HttpResponse<String> theirs = delete(foreign, "git-token");
        HttpResponse<String> none = delete(foreign, "unknown");

        assertThat(theirs.statusCode()).isEqualTo(404).isEqualTo(none.statusCode());
        assertThat(theirs.body()).isEqualTo(none.body());
        HttpResponse<String> named = submit(foreign, NAMING);
        HttpResponse<String> unknown = submit(foreign, NAMING.replace("git-token", "one-unknown"));
        assertThat(named.statusCode()).isEqualTo(400).isEqualTo(unknown.statusCode());
        assertThat(named.body().replace("git-token", "one-unknown")).isEqualTo(unknown.body());
        assertThat(TestApi.json(named).path("errors").path(0).path("field").asText())
                .isEqualTo("namedSecrets.TOKEN");
        assertThat(named.body()).contains("vivarium secret put git-token");
        assertThat(submit(research, NAMING).statusCode()).isEqualTo(202);
    }

    @Test
    void aRepeatedSubmissionSaysNothingAboutASecretsValue() {
        put(research, "git-token", "hush");
        HttpResponse<String> first = submit(research, NAMING, "key");
        put(research, "git-token", "another");
        HttpResponse<String> second = submit(research, NAMING, "key");
        delete(research, "git-token");
        HttpResponse<String> third = submit(research, NAMING, "key");
        put(research, "other", "hush");

        assertThat(second.statusCode()).isEqualTo(202).isEqualTo(third.statusCode());
        assertThat(second.headers().firstValue("Idempotent-Replayed")).isPresent();
        assertThat(second.body())
                .isEqualTo(first.body())
                .isEqualTo(third.body())
                .doesNotContain("hush");
        assertThat(submit(research, NAMING.replace("git-token", "other"), "key").statusCode())
                .isEqualTo(409);
    }

    @Test
    void aTokenThatIsNarrowedHasNoPartInItsTenantsSecrets() {
        put(research, "git-token", "hush");
        String narrowed = api.token(
                Role.SUBMITTER, "research", new Scope(Map.of(), Optional.empty(), Limits.NONE.with(Limit.PIDS, "8")));

        assertThat(get(narrowed, "/v1/secrets").statusCode()).isEqualTo(403);
        assertThat(put(narrowed, "git-token", "mine").statusCode()).isEqualTo(403);
        assertThat(delete(narrowed, "git-token").statusCode()).isEqualTo(403);
        HttpResponse<String> naming = submit(narrowed, NAMING);
        assertThat(naming.statusCode()).isEqualTo(403);
        assertThat(TestApi.json(naming).path("errors").path(0).path("field").asText())
                .isEqualTo("namedSecrets.TOKEN");
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "", "Git", "a/b", "a b", "a..b", "-a", "a-", "gi\u0442", "a\\u0000b", "a%2e%2e"})
    void aHostileNameIsRefusedEverywhere(String name) {
        assertThat(put(research, name, "hush").statusCode()).isEqualTo(400);
        assertThat(submit(research, NAMING.replace("git-token", name)).statusCode())
                .isEqualTo(400);
    }

    @Test
    void namesAndValuesHaveLimits() {
        assertThat(put(research, "n".repeat(64), "hush").statusCode()).isEqualTo(201);
        assertThat(put(research, "n".repeat(65), "hush").statusCode()).isEqualTo(400);
        assertThat(put(research, "n".repeat(1 << 20), "hush").statusCode()).isEqualTo(400);
        assertThat(put(research, "a", "v".repeat(SecretReader.VALUE_BYTES_MAX)).statusCode())
                .isEqualTo(201);
        HttpResponse<String> long1 = put(research, "a", "v".repeat(SecretReader.VALUE_BYTES_MAX + 1));
        assertThat(long1.statusCode()).isEqualTo(400);
        assertThat(long1.body()).doesNotContain("vvv").contains("65536");
        assertThat(put(research, "a", "").statusCode()).isEqualTo(400);
        assertThat(put(research, "a", "nul \\u0000").statusCode()).isEqualTo(400);
    }

    @Test
    void aTenantHasAtMostSoMany() {
        put(research, "git-token", "hush");
        api.namedSecrets.fill(new Tenant("research"));

        assertThat(put(research, "one-more", "hush").statusCode()).isEqualTo(409);
        assertThat(put(research, "git-token", "hush").statusCode()).isEqualTo(201);
        assertThat(put(foreign, "git-token", "hush").statusCode()).isEqualTo(201);
    }

    @Test
    void aSecretOfAnotherTenantIsPutByOperatorsOnly() {
        String body = "{\"name\": \"a\", \"value\": \"hush\", \"tenant\": \"research\"}";

        assertThat(api.post("/v1/secrets", body).statusCode()).isEqualTo(201);
        assertThat(post(foreign, "/v1/secrets", body).statusCode()).isEqualTo(403);
        assertThat(TestApi.json(get(research, "/v1/secrets")).path("secrets")).hasSize(1);
    }

    private HttpResponse<String> put(String token, String name, String value) {
        return post(token, "/v1/secrets", "{\"name\": \"" + name + "\", \"value\": \"" + value + "\"}");
    }

    private HttpResponse<String> submit(String token, String body, String... key) {
        var request = api.as(token, "/v1/runs").header("Content-Type", "application/json");
        for (String one : key) {
            request.header("Idempotency-Key", one);
        }
        return api.exchange(request.POST(BodyPublishers.ofString(body)).build());
    }

    private HttpResponse<String> post(String token, String path, String body) {
        return api.exchange(api.as(token, path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());
    }

    private HttpResponse<String> get(String token, String path) {
        return api.exchange(api.as(token, path).build());
    }

    private HttpResponse<String> delete(String token, String name) {
        return api.exchange(api.as(token, "/v1/secrets/" + name).DELETE().build());
    }
}
