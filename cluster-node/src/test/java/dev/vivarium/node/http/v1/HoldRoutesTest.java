package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Limits;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Legal holds over HTTP. */
class HoldRoutesTest {
    private static final Tenant RESEARCH = new Tenant("research");

    private final TestApi api = new TestApi("");
    private final String operator = api.token(Role.OPERATOR, "platform");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void aHoldIsListedWithWhoPutItWhenAndWhyUntilItIsRemoved() {
        JsonNode put = TestApi.json(put("research", "{\"reason\": \"case 4711\"}"));

        assertThat(put.path("tenant").asText()).isEqualTo("research");
        assertThat(put.path("reason").asText()).isEqualTo("case 4711");
        assertThat(put.path("putBy").asText()).startsWith("token:");
        assertThat(put.path("putAt").asText()).endsWith("Z");
        assertThat(list(operator).path("holds")).containsExactly(put);

        assertThat(TestApi.json(remove("research"))).isEqualTo(put);
        assertThat(list(operator).path("holds")).isEmpty();
        assertThat(remove("research").statusCode()).isEqualTo(404);
    }

    @Test
    void whoPutAndRemovedAHoldIsOnRecord() {
        put("research", "{\"reason\": \"case 4711\"}");
        remove("research");
        remove("research");

        List<Act> acts = acts();
        assertThat(acts).hasSize(2);
        Act.HoldPut put = (Act.HoldPut) acts.get(0);
        assertThat(put.tenant()).isEqualTo(RESEARCH);
        assertThat(put.reason()).contains("case 4711");
        assertThat(put.origin().tenant()).isEqualTo(new Tenant("platform"));
        assertThat(acts.get(1)).isInstanceOf(Act.HoldRemoved.class);
    }

    @Test
    void aHoldIsOnRecordBeforeTheStoreHasIt() {
        api.acts.isAway = true;

        assertThat(put("research", "{}").statusCode()).isEqualTo(503);

        assertThat(list(operator).path("holds")).isEmpty();
    }

    @Test
    void anAuditorSeesTheHoldOfItsOwnTenantOnlyAndPutsNone() {
        put("research", "{}");
        put("another", "{}");
        String auditor = api.token(Role.AUDITOR, "research");
        String narrowed =
                api.token(Role.AUDITOR, "research", new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE));

        assertThat(list(auditor).path("holds"))
                .hasSize(1)
                .allMatch(hold -> hold.path("tenant").asText().equals("research"));
        assertThat(get(narrowed).statusCode()).isEqualTo(403);
        for (Role role : List.of(Role.SUBMITTER, Role.VIEWER)) {
            assertThat(get(api.token(role, "research")).statusCode()).isEqualTo(403);
        }
        assertThat(put(auditor, "research", "{}").statusCode()).isEqualTo(403);
    }

    @Test
    void aTenantMayHaveAnyNameThatALabelMayHave() {
        assertThat(put("Research%20%26%20Co", "{}").statusCode()).isEqualTo(200);
        assertThat(list(operator).at("/holds/0/tenant").asText()).isEqualTo("Research & Co");
        assertThat(put("a".repeat(256), "{}").statusCode()).isEqualTo(400);
        assertThat(put("a%00b", "{}").statusCode()).isEqualTo(400);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"reason\": \"\"}",
                "{\"reason\": 7}",
                "{\"reason\": \"two\\nlines\"}",
                "{\"reasons\": \"case\"}",
            })
    void aReasonIsOneLine(String body) {
        HttpResponse<String> answer = put("research", body);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("invalid-hold").contains("reason");
        assertThat(list(operator).path("holds")).isEmpty();
    }

    @Test
    void aReasonHasALimit() {
        String longest = "é".repeat(LegalHold.REASON_MAX);

        assertThat(put("research", "{\"reason\": \"" + longest + "\"}").statusCode())
                .isEqualTo(200);
        assertThat(put("research", "{\"reason\": \"" + longest + "x\"}").statusCode())
                .isEqualTo(400);
    }

    @Test
    void asManyTenantsAreHeldAsMayBeAndAHoldThatIsThereCanStillBeChanged() {
        put("research", "{}");
        api.holds.fill();

        HttpResponse<String> oneMore = put("another", "{}");
        assertThat(oneMore.statusCode()).isEqualTo(409);
        assertThat(oneMore.body()).contains("1000 tenants are held").contains("remove");
        assertThat(put("research", "{\"reason\": \"another\"}").statusCode()).isEqualTo(200);
        assertThat(acts()).hasSize(2);
    }

    private List<Act> acts() {
        return api.acts.all.stream()
                .filter(act -> !(act instanceof Act.TokenCreated))
                .toList();
    }

    private HttpResponse<String> put(String tenant, String body) {
        return put(operator, tenant, body);
    }

    private HttpResponse<String> put(String token, String tenant, String body) {
        return api.exchange(api.as(token, "/v1/audit/holds/" + tenant)
                .header("Content-Type", "application/json")
                .PUT(BodyPublishers.ofString(body))
                .build());
    }

    private HttpResponse<String> remove(String tenant) {
        return api.exchange(
                api.as(operator, "/v1/audit/holds/" + tenant).DELETE().build());
    }

    private HttpResponse<String> get(String token) {
        return api.exchange(api.as(token, "/v1/audit/holds").build());
    }

    private JsonNode list(String token) {
        return TestApi.json(get(token));
    }
}
