package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.TokenId;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whoever changes what an installation is or hands out its log is on record, before it is done. */
class AdministrativeActsTest {
    private final TestApi api = new TestApi("");
    private final String operator = api.token(Role.OPERATOR, "platform");

    @BeforeEach
    void forget() {
        api.acts.all.clear();
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void whoMakesReplacesAndEndsATokenIsOnRecord() {
        TokenId first =
                made(send("POST", "/v1/tokens", "{\"role\":\"submitter\",\"tenant\":\"research\",\"name\":\"ci\"}"));
        TokenId second = made(send("POST", "/v1/tokens/" + first + "/rotate", ""));
        send("DELETE", "/v1/tokens/" + second, "");

        assertThat(api.acts.all).hasSize(4).allSatisfy(act -> {
            assertThat(act).isInstanceOfSatisfying(Act.OfTenant.class, one -> {
                assertThat(one.by().kind()).isEqualTo(Principal.Kind.TOKEN);
                assertThat(one.tenant().name()).isEqualTo("research");
                assertThat(one.origin().tenant().name()).isEqualTo("platform");
                assertThat(one.origin().address()).contains("127.0.0.1");
            });
        });
        assertThat(((Act.TokenCreated) api.acts.all.get(0)).token()).isEqualTo(first);
        assertThat(((Act.TokenCreated) api.acts.all.get(0)).replaces()).isEmpty();
        assertThat(((Act.TokenCreated) api.acts.all.get(1)).token()).isEqualTo(second);
        assertThat(((Act.TokenCreated) api.acts.all.get(1)).replaces()).contains(first);
        assertThat(((Act.TokenRevoked) api.acts.all.get(2)).token()).isEqualTo(first);
        assertThat(((Act.TokenRevoked) api.acts.all.get(3)).token()).isEqualTo(second);
    }

    @Test
    void aTokenThatHasEndedIsNotEndedAgain() {
        TokenId token = made(send("POST", "/v1/tokens", "{\"role\":\"viewer\"}"));
        send("DELETE", "/v1/tokens/" + token, "");
        assertThat(send("DELETE", "/v1/tokens/" + token, "").statusCode()).isEqualTo(200);

        assertThat(api.acts.all.stream().filter(Act.TokenRevoked.class::isInstance))
                .hasSize(1);
    }

    @Test
    void whoSetsQuotasIsOnRecord() {
        send("PATCH", "/v1/tenants/research/quotas", "{\"runs\":5,\"memory\":\"unlimited\",\"disk\":\"default\"}");

        Act.QuotasSet set = (Act.QuotasSet) api.acts.all.get(0);
        assertThat(set.tenant().name()).isEqualTo("research");
        assertThat(set.amounts()).containsEntry("runs", 5L).containsOnlyKeys("runs", "memory");
        assertThat(set.reset()).isEqualTo(List.of("disk"));
    }

    @Test
    void whoTakesAnExportIsOnRecord() {
        send("GET", "/v1/audit/export?from=1&to=2&tenant=research", "");

        assertThat(api.acts.all).singleElement().isInstanceOfSatisfying(Act.LogExported.class, exported -> {
            assertThat(exported.tenants()).containsExactly("research");
            assertThat(exported.from()).isEqualTo(1);
            assertThat(exported.to()).isEqualTo(2);
        });
    }

    @Test
    void whoHasTheLogCheckedIsOnRecord() {
        send("POST", "/v1/audit/check", "");

        assertThat(api.acts.all).singleElement().isInstanceOf(Act.LogCheckBegun.class);
    }

    @Test
    void whatIsRefusedIsNoAct() {
        send("POST", "/v1/tokens", "{\"role\":\"emperor\"}");
        send("PATCH", "/v1/tenants/research/quotas", "{\"runs\":-5}");
        send("DELETE", "/v1/tokens/0123456789abcdef", "");
        send("GET", "/v1/audit/export?from=2&to=1", "");

        assertThat(api.acts.all).isEmpty();
    }

    @Test
    void whatCannotBeRecordedIsNotDone() {
        TokenId token = made(send("POST", "/v1/tokens", "{\"role\":\"viewer\"}"));
        api.acts.isAway = true;

        assertThat(Stream.of(
                        send("POST", "/v1/tokens", "{\"role\":\"viewer\"}"),
                        send("DELETE", "/v1/tokens/" + token, ""),
                        send("PATCH", "/v1/tenants/research/quotas", "{\"runs\":5}"),
                        send("POST", "/v1/audit/check", ""),
                        send("GET", "/v1/audit/export?from=1&to=2", "")))
                .extracting(HttpResponse::statusCode)
                .containsOnly(503);

        api.acts.isAway = false;
        assertThat(api.tokens.list().toCompletableFuture().join())
                .filteredOn(listed -> listed.token().grant().role() == Role.VIEWER)
                .singleElement()
                .satisfies(listed -> assertThat(listed.token().revokedAt()).isEqualTo(Optional.empty()));
        assertThat(api.tenantStore.list().toCompletableFuture().join()).isEmpty();
    }

    private HttpResponse<String> send(String method, String path, String body) {
        HttpRequest.Builder request = api.request(path).setHeader("Authorization", "Bearer " + operator);
        if (!body.isEmpty()) {
            request.header("Content-Type", "application/json");
        }
        return api.exchange(
                request.method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                        .build());
    }

    private static TokenId made(HttpResponse<String> answer) {
        return new TokenId(TestApi.json(answer).path("about").path("id").asText());
    }
}
