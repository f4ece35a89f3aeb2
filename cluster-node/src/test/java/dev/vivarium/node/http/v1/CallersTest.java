package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.MoreCollectors;
import dev.vivarium.node.access.Door;
import dev.vivarium.node.access.TokenSettings;
import dev.vivarium.node.access.Tokens;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Credential;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.auth.TokenId;
import java.net.InetAddress;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in, and what is said to those who are not. */
@Timeout(60)
class CallersTest {
    private final TestApi api = new TestApi("");

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void theOperatorOfThisMachineIsKnownByItsToken() {
        assertThat(api.get("/v1/nodes").statusCode()).isEqualTo(200);
    }

    @Test
    void healthAndMetricsAreOpen() {
        assertThat(Stream.of("/health/alive", "/health/ready", "/metrics", "/openapi.yaml")
                        .map(path -> api.send(api.anonymous(path).build()).statusCode()))
                .containsOnly(200);
    }

    @Test
    void aRequestWithoutATokenIsToldHowToSendOne() {
        HttpResponse<String> answer = api.exchange(api.anonymous("/v1/runs").build());

        assertRefused(answer, 401, "unauthenticated", "Authorization: Bearer");
        assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"vivarium\"");
    }

    @Test
    void aTokenLetsItsHolderIn() {
        String token = api.token(Role.VIEWER, "research");

        assertThat(as(token, "/v1/runs").statusCode()).isEqualTo(200);
        assertThat(api.tokens.list().toCompletableFuture().join().get(0).usedAt())
                .contains(api.clock.instant());
    }

    @Test
    void whatItsRoleDoesNotHaveIsForbidden() {
        HttpResponse<String> answer = as(api.token(Role.VIEWER, "research"), "/v1/nodes");

        assertRefused(answer, 403, "forbidden", "The role of your token is viewer, and this takes operator.");
        assertThat(answer.headers().firstValue("WWW-Authenticate").orElse("")).contains("insufficient_scope");
    }

    @Test
    void anExpiredTokenIsRefused() {
        String token = api.token(Role.OPERATOR, "default");
        assertThat(as(token, "/v1/runs").statusCode()).isEqualTo(200);

        api.clock.pass(Duration.ofDays(1));

        assertRefused(as(token, "/v1/runs"), 401, "unauthenticated", "This token expired at 2026-");
    }

    @Test
    void aTokenThatWasRevokedAMomentAgoIsRefused() {
        String token = api.token(Role.OPERATOR, "default");
        assertThat(as(token, "/v1/runs").statusCode()).isEqualTo(200);

        HttpResponse<String> revoked =
                api.exchange(api.request("/v1/tokens/" + idOf(token)).DELETE().build());

        assertThat(revoked.statusCode()).isEqualTo(200);
        assertRefused(as(token, "/v1/runs"), 401, "unauthenticated", "This token was revoked");
    }

    @Test
    void aTokenThatIsCutOffIsRefused() {
        String token = api.token(Role.OPERATOR, "default");

        assertRefused(
                as(token.substring(0, token.length() - 1), "/v1/runs"), 401, "unauthenticated", "Was it cut off?");
        assertRefused(as("", "/v1/runs"), 401, "unauthenticated", "Bearer");
    }

    @Test
    void aTokenOfAnotherInstallationIsRefusedWithoutAskingTheStore() {
        String foreign = new TokenSeal(List.of(SecretSeal.Key.random()))
                .mint(TokenSeal.Form.VIV)
                .text();

        assertRefused(as(foreign, "/v1/runs"), 401, "unauthenticated", "another one's, or mistyped");
        assertThat(api.tokenStore.finds).hasValue(0);
    }

    @Test
    void aForgedPrefixIsRefused() {
        String token = api.token(Role.OPERATOR, "default");

        assertRefused(as("e2b_" + token.substring(4), "/v1/runs"), 401, "unauthenticated", "mistyped");
        assertRefused(as("ghp_" + token.substring(4), "/v1/runs"), 401, "unauthenticated", "begins with viv_");
    }

    @Test
    void aTokenOfAMegabyteIsRefusedAsAHeadThatIsTooLong() {
        String answer = api.raw("GET /v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + "Authorization: Bearer viv_" + "a".repeat(1 << 20) + "\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 4").contains("application/problem+json", "malformed-request");
    }

    @Test
    void theLongestTokenThatFitsIntoAHeadIsRefused() {
        assertRefused(as("viv_" + "a".repeat(8_000), "/v1/runs"), 401, "unauthenticated", "begins with viv_");
    }

    @Test
    void twoAuthorizationHeadersAreRefusedEvenWithTheSameToken() {
        HttpResponse<String> answer = api.exchange(api.request("/v1/runs")
                .header("Authorization", "Bearer " + api.local)
                .build());

        assertRefused(answer, 401, "unauthenticated", "Send one Authorization header, not several.");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Basic b3BlcmF0b3I6", "Bearer", "viv_0000", "Digest username=\"a\"", "Bearer a b"})
    void otherFormsOfProofAreRefused(String credentials) {
        String answer = api.raw("GET /v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
                + credentials + "\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 401 ").contains("WWW-Authenticate: Bearer realm=\"vivarium\"");
    }

    @Test
    void aTokenInTheQueryIsNone() {
        HttpResponse<String> answer =
                api.send(api.anonymous("/v1/runs?token=" + api.local).build());

        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.body()).doesNotContain(api.local);
    }

    @Test
    void everyEventThatACallerCausesSaysWhoItWasAndFromWhere() {
        String submitter = api.token(Role.SUBMITTER, "research");
        String operator = api.token(Role.OPERATOR, "default");
        String run = TestApi.json(api.exchange(api.as(submitter, "/v1/runs")
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(Samples.SMALL_BODY))
                        .build()))
                .path("id")
                .asText();
        post(submitter, "/v1/runs/" + run + "/deadline", "{\"wallClock\": \"10m\"}");
        post(operator, "/v1/runs/" + run + "/cancel", "");

        JsonNode events =
                TestApi.json(as(operator, "/v1/runs/" + run + "/events")).path("events");

        assertThat(origin(events, "RunSubmitted")).isEqualTo(origin("research", submitter));
        assertThat(origin(events, "DeadlineMoved")).isEqualTo(origin("research", submitter));
        assertThat(origin(events, "CancelRequested")).isEqualTo(origin("default", operator));
    }

    private void post(String token, String path, String body) {
        HttpResponse<String> answer = api.exchange(api.as(token, path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());
        assertThat(answer.statusCode()).as(answer.body()).isBetween(200, 202);
    }

    private static JsonNode origin(JsonNode events, String type) {
        return StreamSupport.stream(events.spliterator(), false)
                .filter(event -> event.path("type").asText().equals(type))
                .map(event -> event.path("data").path("origin"))
                .collect(MoreCollectors.onlyElement());
    }

    private JsonNode origin(String tenant, String token) {
        return TestApi.json("""
                {"tenant": "%s", "token": "%s", "address": "127.0.0.1"}"""
                .formatted(tenant, idOf(token)));
    }

    @Test
    void aRefusedSubmissionMakesNoRun() {
        HttpResponse<String> answer = api.exchange(api.anonymous("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(Samples.SMALL_BODY))
                .build());

        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(TestApi.json(api.get("/v1/runs")).path("runs")).isEmpty();
    }

    @Test
    void withoutItsStoreANodeKnowsNoTokenButThatOfItsMachine() {
        String token = api.token(Role.OPERATOR, "default");
        api.tokenStore.goAway();

        assertRefused(as(token, "/v1/nodes"), 503, "store-unavailable", "The store does not answer");
        assertThat(api.get("/v1/nodes").statusCode()).isEqualTo(200);
    }

    @Test
    void theStoreIsAskedOnceForATokenThatIsUsedOften() {
        String token = api.token(Role.VIEWER, "default");

        for (int use = 0; use < 20; use++) {
            assertThat(as(token, "/v1/runs").statusCode()).isEqualTo(200);
        }

        // A slow machine may take longer than the time for which it relies on what it has read.
        assertThat(api.tokenStore.finds.get()).isLessThan(10);
    }

    @Test
    void aRevocationHoldsOnOtherNodesOnceTheyDoNotRelyOnWhatTheyHaveReadAnyMore() {
        Duration cached = Duration.ofMillis(100);
        TokenSettings shipped = api.tokens.settings();
        Door elsewhere = api.door(new Tokens(
                api.tokenStore,
                api.seal,
                new TokenSettings(shipped.lifeDefault(), shipped.lifeMax(), shipped.countMax(), cached, shipped.kept()),
                api.acts,
                api.clock));
        String token = api.token(Role.VIEWER, "default");
        assertThat(known(elsewhere, token)).isTrue();

        api.exchange(api.request("/v1/tokens/" + idOf(token)).DELETE().build());

        await().atMost(Duration.ofSeconds(10)).until(() -> !known(elsewhere, token));
    }

    @Test
    void theTokenOfThisMachineHoldsOverItsLoopbackInterfaceOnly() throws Exception {
        Door door = api.door();

        for (String address : List.of("127.0.0.1", "127.0.0.2", "::1")) {
            assertThat(door.authenticate(new Credential.Token(api.local), Optional.of(InetAddress.getByName(address))))
                    .isCompletedWithValue(new Authentication.Known(Identity.LOCAL_OPERATOR));
        }
        for (Optional<InetAddress> address : List.of(
                Optional.of(InetAddress.getByName("192.0.2.1")),
                Optional.of(InetAddress.getByName("::ffff:192.0.2.1")),
                Optional.<InetAddress>empty())) {
            assertThat(door.authenticate(new Credential.Token(api.local), address)
                            .toCompletableFuture()
                            .join())
                    .isInstanceOf(Authentication.Refused.class);
        }
    }

    private static boolean known(Door door, String token) {
        return door.authenticate(new Credential.Token(token), Optional.empty())
                        .toCompletableFuture()
                        .join()
                instanceof Authentication.Known;
    }

    private HttpResponse<String> as(String token, String path) {
        return api.exchange(api.as(token, path).build());
    }

    private TokenId idOf(String token) {
        return api.seal.recognize(token).orElseThrow().id();
    }

    private static void assertRefused(HttpResponse<String> answer, int status, String type, String sentence) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(TestApi.json(answer).path("type").asText()).endsWith("/" + type);
        assertThat(TestApi.json(answer).path("detail").asText()).contains(sentence);
    }
}
