package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.Config;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.run.RenewAnswer;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.store.WebhookStore.Delivery;
import dev.vivarium.persistence.store.WebhookStore.Message;
import dev.vivarium.persistence.store.WebhookStore.Progress;
import dev.vivarium.persistence.store.WebhookStore.State;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.api.AuditCheck;
import dev.vivarium.protocol.api.Health;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.LimitKind;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.SecretVersion;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.WarningSignal;
import dev.vivarium.protocol.run.WebhookEvent;
import io.swagger.v3.oas.models.media.Schema;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares {@code openapi.yaml} with the server, in both directions. */
@Timeout(120)
class OpenApiDocumentTest {
    private static final Instant NOON = InMemoryRuns.NOON;
    private static final String NODE = "node-1";
    private static final String UNKNOWN_DIGEST = "0".repeat(64);
    private static final Usage USAGE = Usage.NONE
            .with(Limit.WALL_CLOCK, 1)
            .with(Limit.CPU_TIME, 2)
            .with(Limit.MEMORY, 3)
            .with(Limit.DISK, 4)
            .with(Limit.FILES, 5)
            .with(Limit.OUTPUT, 6)
            .with(Limit.PIDS, 7);

    private static final String RENEWAL = "{\"wallClock\": \"10m\"}";

    private final TestApi api = new TestApi(
            "max-followers = 2, max-submissions = 1, max-body = 64KiB, body-timeout = 500ms, upload { max = 64KiB, at-once = 1, pause ="
                    + " 500ms }");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void everyRouteIsInTheDocumentAndEveryOperationHasARoute() {
        assertThat(api.served()).containsExactlyInAnyOrderElementsOf(OpenApiDocument.operations());
    }

    @Test
    void everyDescribedAnswerIsGivenAndEveryDescribedParameterAccepted() throws IOException {
        answersToOneFollowerTooMany();
        answersOfSubmission();
        answersAboutRuns();
        answersAboutBlobs();
        answersAboutAllRuns();
        answersAboutTheNode();
        answersToCallersWhoMayNot();
        answersAboutSecrets();
        answersAboutHolds();
        answersAboutTenants();
        answersToTenantsThatReadTooFast();
        answersAboutTokens();
        answersOfEveryRoute();
        answersOfANodeThatFails();

        assertThat(api.answers()).containsExactlyInAnyOrderElementsOf(OpenApiDocument.answers());
        assertThat(api.parameters()).containsExactlyInAnyOrderElementsOf(OpenApiDocument.parameters());
    }

    private void answersOfSubmission() {
        RunId ended = api.running();
        api.runs.print(ended, Stream.STDOUT, "hello");
        api.succeed(ended);
        api.runs.placeAs(ended);
        // The same submission again is the same run, which has ended: its end, and its output in both forms.
        api.post("/v1/runs?wait=5s", Samples.SMALL_BODY);
        api.post("/v1/runs?follow=output", Samples.SMALL_BODY);
        api.post("/v1/runs?follow=output", Samples.SMALL_BODY, "Accept", "application/x-ndjson");
        api.runs.placeFreely();
        api.post("/v1/runs", Samples.FULL_BODY, "Idempotency-Key", "key-1");
        api.post("/v1/runs", Samples.FULL_BODY, "Idempotency-Key", "key-1");
        api.post("/v1/runs", Samples.SMALL_BODY, "Idempotency-Key", "key-1");
        api.post("/v1/runs", "{");
        api.post("/v1/runs", "x".repeat(100_000));
        api.post("/v1/runs", Samples.SMALL_BODY, "Content-Encoding", "gzip");
        api.post("/v1/runs", Samples.SMALL_BODY, "Origin", "https://evil.example");
        api.post("/v1/runs", Samples.SMALL_BODY, "Accept", "text/html");
        api.exchangeSlowly("POST", "/v1/runs");
        api.runs.refuseWith(new SubmitAnswer.Full(40));
        api.post("/v1/runs", Samples.SMALL_BODY);
    }

    private void answersAboutRuns() {
        RunId run = new RunId(TestApi.json(api.get("/v1/runs"))
                .path("runs")
                .path(0)
                .path("id")
                .asText());
        api.get("/v1/runs?status=SUBMITTED&tenant=default&label=team%3Dresearch&since=2026-01-31T12:00:00Z&limit=10"
                + "&cursor=next-page");
        api.get("/v1/runs?limit=0");
        api.runs.happen(run, new RunEvent.AttemptStarting(NOON, NODE, 1));
        api.runs.happen(
                run,
                new RunEvent.SecretsUsed(NOON, NODE, 1, List.of(new SecretVersion(new SecretName("git-token"), 1))));
        api.runs.happen(run, new RunEvent.AttemptStarted(NOON, NODE, 1, "sandbox-1", Optional.empty()));
        api.runs.print(run, Stream.STDOUT, "hello");
        answersAboutItsDeadline("/v1/runs/" + run + "/deadline");
        api.post("/v1/runs/" + run + "/cancel", "", "Origin", "https://evil.example");
        api.post("/v1/runs/" + run + "/cancel", "");
        api.blobs.write(Tenant.DEFAULT, Blob.ofUtf8("content"));
        api.runs.happen(run, kept());
        api.runs.happen(run, new RunEvent.RunCancelled(NOON, NODE, 1, USAGE));
        answersAboutItsWebhook(run);
        answersAboutOneRun("/v1/runs/" + run);
        answerAboutDeletedOutput();
        answersAboutDeletions(run);
        for (String of : List.of("", "/output", "/events", "/artifacts", "/artifacts/out%2Fa", "/proof", "/webhooks")) {
            api.get("/v1/runs/" + TestApi.UNKNOWN_RUN + of);
            api.get("/v1/runs/" + run + of, "Accept", "text/html");
        }
        api.get("/v1/runs", "Accept", "text/html");
        api.post("/v1/runs/" + TestApi.UNKNOWN_RUN + "/cancel", "");
        api.post("/v1/runs/" + run + "/cancel", "", "Accept", "text/html");
    }

    private void answersAboutItsDeadline(String deadline) {
        api.post(deadline, RENEWAL);
        api.post(deadline, "{}");
        api.post(deadline, RENEWAL, "Origin", "https://evil.example");
        api.post(deadline, RENEWAL, "Accept", "text/html");
        api.post(deadline, RENEWAL, "Content-Encoding", "gzip");
        api.post(deadline, " ".repeat(100_000));
        api.exchangeSlowly("POST", deadline);
        api.post("/v1/runs/" + TestApi.UNKNOWN_RUN + "/deadline", RENEWAL);
        CompletableFuture<Done> gate = new CompletableFuture<>();
        api.runs.refuseNoMore();
        api.runs.holdNextSubmission(gate);
        int before = api.runs.submissions();
        CompletableFuture<?> working = CompletableFuture.runAsync(() -> api.post("/v1/runs", Samples.SMALL_BODY));
        await().until(() -> api.post(deadline, RENEWAL).statusCode() == 429);
        gate.complete(Done.getInstance());
        working.join();
        assertThat(api.runs.submissions()).isEqualTo(before + 1);
        api.runs.refuseRenewals(RenewAnswer.Reason.ENDING);
        api.post(deadline, RENEWAL);
    }

    private void answersAboutItsWebhook(RunId run) {
        api.webhooks.all.add(new Delivery(
                new Message(run, 3, Tenant.DEFAULT, WebhookEvent.ENDED, "https://hooks.example.com/", "{}"),
                new Progress(State.GIVEN_UP, 9, NOON, NOON, Optional.of(NOON), Optional.of("HTTP 500"))));
        String list = "/v1/runs/" + run + "/webhooks";
        assertThat(TestApi.json(api.get(list))
                        .path("deliveries")
                        .path(0)
                        .path("state")
                        .asText())
                .isEqualTo("GIVEN_UP");
        api.get(list + "?colour=red");
        api.post(list + "/3/repeat", "", "Accept", "text/html");
        assertThat(api.post(list + "/3/repeat", "").statusCode()).isEqualTo(202);
        assertThat(api.post(list + "/4/repeat", "").statusCode()).isEqualTo(404);
        assertThat(api.post(list + "/0x3/repeat", "").statusCode()).isEqualTo(404);
        api.webhooks.full = Optional.of("10 messages wait already");
        assertThat(api.post(list + "/3/repeat", "").statusCode()).isEqualTo(429);
        api.webhooks.full = Optional.empty();
    }

    private static RunEvent.ArtifactsKept kept() {
        Blob content = Blob.ofUtf8("content");
        return new RunEvent.ArtifactsKept(
                NOON,
                NODE,
                1,
                List.of(new Artifact("out/a", FileMode.PLAIN, content.length(), Digest.of(content))),
                1,
                List.of(new LeftOut("out/l", LeftOut.Cause.LINK)));
    }

    private void answerAboutDeletedOutput() {
        HttpResponse<String> submitted = api.post("/v1/runs", Samples.SMALL_BODY, "Idempotency-Key", "gone");
        RunId gone = new RunId(TestApi.json(submitted).path("id").asText());
        api.runs.happen(gone, new RunEvent.AttemptStarting(NOON, NODE, 1));
        api.runs.happen(gone, new RunEvent.AttemptStarted(NOON, NODE, 1, "sandbox-1", Optional.empty()));
        api.runs.happen(gone, new RunEvent.RunSucceeded(NOON, NODE, 1, Usage.NONE.with(Limit.OUTPUT, 5)));
        assertThat(api.get("/v1/runs/" + gone + "/output").statusCode()).isEqualTo(410);
        assertThat(api.post("/v1/runs?follow=output", Samples.SMALL_BODY, "Idempotency-Key", "gone")
                        .statusCode())
                .isEqualTo(410);
    }

    private void answersAboutDeletions(RunId ended) {
        HttpResponse<String> submitted = api.post("/v1/runs", Samples.SMALL_BODY, "Idempotency-Key", "live");
        String live = TestApi.json(submitted).path("id").asText();
        Digest digest = Digest.of(Blob.ofUtf8("deleted"));
        api.blobs.write(Tenant.DEFAULT, Blob.ofUtf8("deleted"));
        List<String> paths =
                List.of("/v1/runs/" + ended + "/output", "/v1/runs/" + ended + "/artifacts", "/v1/blobs/" + digest);
        for (String path : paths) {
            delete(path + "?colour=red");
            delete(path, "Accept", "text/html");
        }
        assertThat(delete("/v1/runs/" + live + "/output").statusCode()).isEqualTo(409);
        assertThat(delete("/v1/runs/" + live + "/artifacts").statusCode()).isEqualTo(409);
        api.holds.put(new LegalHold(Tenant.DEFAULT, Optional.empty(), Principal.LOCAL_OPERATOR, NOON));
        assertThat(delete("/v1/blobs/" + digest).statusCode()).isEqualTo(409);
        api.holds.remove(Tenant.DEFAULT);
        assertThat(paths.stream().map(path -> delete(path).statusCode())).containsOnly(204);
        delete("/v1/blobs/" + digest);
        api.blobs.write(new Tenant("research"), Blob.ofUtf8("deleted"));
        delete("/v1/blobs/" + digest + "?tenant=research");
        delete("/v1/runs/" + TestApi.UNKNOWN_RUN + "/output");
        delete("/v1/runs/" + TestApi.UNKNOWN_RUN + "/artifacts");
        // The tests that follow read it.
        api.runs.print(ended, Stream.STDOUT, "hello");
    }

    private HttpResponse<String> delete(String path, String... headers) {
        HttpRequest.Builder request = api.request(path).DELETE();
        return api.exchange(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    private void answersAboutOneRun(String run) {
        api.get(run);
        assertThat(api.get(run + "/proof").body()).isEqualTo("proof");
        api.get(run + "/proof?colour=red");
        assertThat(OpenApiDocument.mistakes(
                        "ArtifactList", api.get(run + "/artifacts").body()))
                .isEmpty();
        assertThat(api.get(run + "/artifacts", "Accept", "application/x-tar").body())
                .hasSize(4 * 512);
        HttpResponse<String> file = api.get(run + "/artifacts/out%2Fa");
        assertThat(file.body()).isEqualTo("content");
        assertThat(file.headers().firstValue("Content-Disposition")).contains("attachment; filename*=UTF-8''a");
        assertThat(file.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
        assertThat(api.get(run + "/artifacts/none").statusCode()).isEqualTo(404);
        Blob content = Blob.ofUtf8("content");
        api.blobs.forget(Digest.of(content));
        assertThat(api.get(run + "/artifacts/out%2Fa").statusCode()).isEqualTo(410);
        assertThat(api.get(run + "/artifacts", "Accept", "application/x-tar").statusCode())
                .isEqualTo(410);
        assertThat(api.get(run + "/artifacts").statusCode()).isEqualTo(200);
        api.blobs.write(Tenant.DEFAULT, content);
        api.get(run + "/artifacts/out%2Fa", "Accept", "text/html");
        api.get(run + "/output?stream=stdout&follow=true&from=1");
        api.get(run + "/output?from=-1");
        api.get(run + "/output", "Accept", "application/x-ndjson")
                .body()
                .lines()
                .forEach(line -> assertThat(OpenApiDocument.mistakes("OutputChunk", line))
                        .isEmpty());
        api.get(run + "/events?from=1&limit=2");
        api.get(run + "/events?from=0");
        api.get(run + "/events", "Accept", "text/event-stream", "Last-Event-ID", "1")
                .body()
                .lines()
                .filter(line -> line.startsWith("data: "))
                .forEach(line -> assertThat(OpenApiDocument.mistakes("Event", line.substring("data: ".length())))
                        .isEmpty());
        api.get(run + "/events", "Accept", "text/event-stream", "Last-Event-ID", "99");
    }

    private void answersToOneFollowerTooMany() throws IOException {
        RunId id = api.running();
        String run = "/v1/runs/" + id;
        byte[] follow = ("GET " + run + "/output?follow=true HTTP/1.1\r\n" + api.authorization()
                        + "Host: localhost\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        try (Socket first = new Socket("localhost", api.port());
                Socket second = new Socket("localhost", api.port())) {
            first.getOutputStream().write(follow);
            second.getOutputStream().write(follow);
            await().until(() -> api.followers() == 2);
            api.get(run + "/output?follow=true");
            api.get(run + "/events", "Accept", "text/event-stream");
            api.get("/v1/audit/export");
            api.get("/v1/audit/events", "Accept", "text/event-stream");
            api.succeed(id);
            await().until(() -> api.followers() == 0);
        }
    }

    private void answersAboutBlobs() {
        String blob = "/v1/blobs/" + Digest.of(Blob.ofUtf8("content"));
        api.put(blob, "content");
        api.put(blob + "?tenant=research", "content");
        api.put(blob, "content");
        api.put("/v1/blobs/none", "content");
        api.put(blob, "x".repeat(100_000));
        api.put(blob, "content", "Content-Encoding", "gzip");
        api.put(blob, "content", "Origin", "https://evil.example");
        api.put(blob, "content", "Accept", "text/html");
        String other = "/v1/blobs/" + Digest.of(Blob.ofUtf8("other"));
        api.put(other, "content");
        CompletableFuture<?> slow = CompletableFuture.runAsync(() -> api.exchangeSlowly("PUT", other));
        await().until(() -> api.uploads() == 1);
        api.put(other, "other");
        slow.join();
        api.head(blob + "?tenant=research");
        api.head(other);
        api.head("/v1/blobs/none");
    }

    private void answersAboutAllRuns() {
        api.get("/v1/audit/events?tenant=a&run=" + TestApi.UNKNOWN_RUN + "&label=team=research&node=n&type=RunKilled"
                + "&reason=MEMORY&by=local:operator&image=i&since=2026-01-31T12:00:00Z&until=2026-02-01T12:00:00Z"
                + "&order=oldest&limit=5&after=1");
        api.get("/v1/audit/events?cursor=next-page");
        api.begin(
                api.request("/v1/audit/events?from=0")
                        .headers("Accept", "text/event-stream", "Last-Event-ID", "1")
                        .build(),
                "id: 1");
        api.get("/v1/audit/counts?measure=KILLS&tenant=a&since=2026-01-31T12:00:00Z&until=2026-02-01T12:00:00Z");
        api.get("/v1/audit/export?tenant=a&run=" + TestApi.UNKNOWN_RUN + "&label=team=research&node=n&type=RunKilled"
                + "&reason=MEMORY&by=local:operator&image=i&since=2026-01-31T12:00:00Z&until=2026-02-01T12:00:00Z"
                + "&from=1&to=2");
        for (String path : List.of(
                "/v1/audit/events",
                "/v1/audit/counts",
                "/v1/audit/checkpoint",
                "/v1/audit/export",
                "/v1/audit/tile/0%2F000.p%2F3")) {
            api.get(path + "?colour=red");
            api.get(path + "?measure=RUNS", "Accept", "text/html");
        }
        api.get("/v1/audit/checkpoint", "Accept", "text/html");
        api.get("/v1/audit/checkpoint");
        LogHead signed = api.audit.log;
        api.audit.log = new LogHead(3, "");
        api.get("/v1/audit/checkpoint");
        api.get("/v1/audit/export");
        api.get("/v1/audit/consistency?from=0");
        api.audit.log = signed;
        api.get("/v1/audit/tile/0%2F001");
        api.get("/v1/audit/tile/0%2F000.p%2F3");
        api.get("/v1/audit/tile/0%2F000.p%2F3", "Accept", "text/html");
        api.get("/v1/audit/consistency?from=1");
        api.get("/v1/audit/consistency?from=4");
        api.get("/v1/audit/consistency?from=1", "Accept", "text/html");
        answersAboutChecks();
    }

    private void answersAboutChecks() {
        String path = "/v1/audit/check";
        for (String query : List.of("", "?colour=red")) {
            api.get(path + query);
            beginCheck(path + query, "application/json");
        }
        api.get(path, "Accept", "text/html");
        beginCheck(path, "text/html");
        Optional<AuditCheck.Progress> begins = api.checks.begins;
        api.checks.begins = Optional.empty();
        beginCheck(path, "application/json");
        api.checks.begins = begins;
        api.checks.failure = Optional.of(new IllegalStateException("a defect"));
        beginCheck(path, "application/json");
        api.checks.failure = Optional.of(new CompletionException(new TimeoutException()));
        beginCheck(path, "application/json");
    }

    private void beginCheck(String path, String accept) {
        api.exchange(api.request(path)
                .header("Accept", accept)
                .POST(BodyPublishers.noBody())
                .build());
    }

    private void askForAllRuns() {
        api.get("/v1/audit/events");
        api.get("/v1/audit/counts?measure=RUNS");
        api.get("/v1/audit/checkpoint");
        api.get("/v1/audit/export");
        api.get("/v1/audit/tile/0%2F000.p%2F3");
        api.get("/v1/audit/consistency?from=1");
    }

    private void answersAboutTheNode() {
        for (String path : List.of("/v1/nodes", "/health/alive", "/health/ready", "/metrics", "/openapi.yaml")) {
            api.get(path);
        }
        api.get("/v1/nodes", "Accept", "text/html");
        api.get("/openapi.yaml", "If-None-Match", "*");
        api.readiness =
                CompletableFuture.completedStage(List.of(new Health.Check("store", Health.Status.DOWN, "is away")));
        api.get("/health/ready");
    }

    private void answersOfEveryRoute() {
        for (String operation : OpenApiDocument.operations()) {
            String[] methodAndPath = operation.split(" ", 2);
            api.exchangeRaw(
                    methodAndPath[0],
                    path(methodAndPath[1]),
                    "Host: evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
    }

    private void answersAboutTokens() {
        String wish = "{\"role\": \"viewer\"}";
        String id = TestApi.json(api.post("/v1/tokens", wish))
                .path("about")
                .path("id")
                .asText();
        api.post("/v1/tokens", "{");
        api.post("/v1/tokens", wish, "Accept", "text/html");
        api.exchangeSlowly("POST", "/v1/tokens");
        api.post("/v1/tokens", " ".repeat(70_000));
        api.exchange(
                api.request("/v1/tokens").POST(BodyPublishers.ofString(wish)).build());
        api.get("/v1/tokens?tenant=default");
        api.get("/v1/tokens?colour=red");
        api.get("/v1/tokens", "Accept", "text/html");
        String rotate = "/v1/tokens/" + id + "/rotate";
        api.post(rotate + "?overlap=1m&form=e2b", "");
        api.post(rotate + "?overlap=1y", "");
        api.post(rotate, "", "Accept", "text/html");
        api.post("/v1/tokens/unknown/rotate", "");
        api.tokenStore.fill();
        api.post("/v1/tokens", wish);
        api.post(rotate, "");
        api.exchange(api.request("/v1/tokens/" + id).DELETE().build());
        api.exchange(api.request("/v1/tokens/" + id)
                .DELETE()
                .header("Accept", "text/html")
                .build());
        api.exchange(api.request("/v1/tokens/unknown").DELETE().build());
    }

    private void answersAboutSecrets() {
        String wish = "{\"name\": \"git-token\", \"value\": \"hush\"}";
        assertThat(api.post("/v1/secrets", wish).statusCode()).isEqualTo(201);
        api.post("/v1/secrets", "{");
        api.post("/v1/secrets", wish, "Accept", "text/html");
        api.post("/v1/secrets", " ".repeat(70_000));
        api.post("/v1/secrets", wish, "Content-Encoding", "gzip");
        api.exchangeSlowly("POST", "/v1/secrets");
        String narrowed =
                api.token(Role.VIEWER, "default", new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE));
        api.exchange(api.as(narrowed, "/v1/secrets").build());
        api.get("/v1/secrets?tenant=default");
        api.get("/v1/secrets?colour=red");
        api.get("/v1/secrets", "Accept", "text/html");
        api.namedSecrets.fill(Tenant.DEFAULT);
        assertThat(api.post("/v1/secrets", wish.replace("git-token", "another")).statusCode())
                .isEqualTo(409);
        for (String path : List.of("git-token?tenant=default", "unknown", "unknown?colour=red")) {
            api.exchange(api.request("/v1/secrets/" + path).DELETE().build());
        }
        api.exchange(api.request("/v1/secrets/git-token")
                .DELETE()
                .header("Accept", "text/html")
                .build());
    }

    private void askForSecrets() {
        api.post("/v1/secrets", "{\"name\": \"git-token\", \"value\": \"hush\"}");
        api.get("/v1/secrets");
        api.exchange(api.request("/v1/secrets/git-token").DELETE().build());
    }

    private void answersAboutHolds() {
        String hold = "/v1/audit/holds/research";
        String why = "{\"reason\": \"case 4711\"}";
        assertThat(putJson(hold, why).statusCode()).isEqualTo(200);
        putJson(hold, "{");
        putJson(hold, why, "Accept", "text/html");
        putJson(hold, " ".repeat(70_000));
        putJson(hold, why, "Content-Encoding", "gzip");
        api.exchangeSlowly("PUT", hold);
        api.get("/v1/audit/holds");
        api.get("/v1/audit/holds?colour=red");
        api.get("/v1/audit/holds", "Accept", "text/html");
        for (String path : List.of(hold, hold, hold + "?colour=red")) {
            api.exchange(api.request(path).DELETE().build());
        }
        api.exchange(api.request(hold).DELETE().header("Accept", "text/html").build());
        api.holds.fill();
        assertThat(putJson(hold, "{}").statusCode()).isEqualTo(409);
    }

    private void askForHolds() {
        putJson("/v1/audit/holds/research", "{}");
        api.get("/v1/audit/holds");
        api.exchange(api.request("/v1/audit/holds/research").DELETE().build());
    }

    private void answersAboutTenants() {
        String quotas = "/v1/tenants/research/quotas";
        String some = "{\"runs\": 10, \"memory\": \"8Gi\"}";
        assertThat(patch(quotas, some).statusCode()).isEqualTo(200);
        patch(quotas, "{");
        patch("/v1/tenants/Research/quotas", some);
        patch(quotas, some, "Accept", "text/html");
        patch(quotas, " ".repeat(70_000));
        patch(quotas, some, "Content-Encoding", "gzip");
        api.exchangeSlowly("PATCH", quotas);
        for (String tenant : List.of("b", "c", "d")) {
            patch("/v1/tenants/" + tenant + "/quotas", some);
        }
        answersAboutTheWebhooksOfTenants();
        api.get("/v1/tenants/metrics");
        for (String path : List.of("/v1/tenants", "/v1/tenants/research/usage", "/v1/tenants/research/webhooks")) {
            api.get(path);
            api.get(path + "?colour=red");
            api.get(path, "Accept", "text/html");
        }
    }

    private void answersAboutTheWebhooksOfTenants() {
        String webhooks = "/v1/tenants/research/webhooks";
        String one = "{\"webhook\": {\"url\": \"https://hooks.example.com/\"}}";
        assertThat(putJson(webhooks, one).statusCode()).isEqualTo(200);
        putJson(webhooks, "{}");
        putJson(webhooks, one, "Accept", "text/html");
        putJson(webhooks, " ".repeat(70_000));
        putJson(webhooks, one, "Content-Encoding", "gzip");
        api.exchangeSlowly("PUT", webhooks);
        putJson("/v1/tenants/d/webhooks", one);
        HttpResponse<String> made = api.post(webhooks + "/key?overlap=1h", "");
        assertThat(made.statusCode()).isEqualTo(201);
        api.post(webhooks + "/key?overlap=1y", "");
        api.post(webhooks + "/key", "", "Accept", "text/html");
        api.post("/v1/tenants/d/webhooks/key", "");
    }

    private HttpResponse<String> putJson(String path, String body, String... headers) {
        HttpRequest.Builder request =
                api.request(path).header("Content-Type", "application/json").PUT(BodyPublishers.ofString(body));
        return api.exchange(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    private HttpResponse<String> patch(String path, String body, String... headers) {
        HttpRequest.Builder request = api.request(path)
                .header("Content-Type", "application/json")
                .method("PATCH", BodyPublishers.ofString(body));
        return api.exchange(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    private void answersToTenantsThatReadTooFast() {
        patch("/v1/tenants/research/quotas", "{\"readsPerSecond\": 0}");
        String run = "/v1/runs/" + TestApi.UNKNOWN_RUN;
        String auditor = api.token(Role.AUDITOR, "research");
        for (String path : List.of(
                "/v1/runs",
                run,
                run + "/output",
                run + "/events",
                run + "/artifacts",
                run + "/artifacts/a",
                run + "/proof",
                run + "/webhooks",
                "/v1/tenants/research/usage",
                "/v1/tenants/research/webhooks",
                "/v1/secrets",
                "/v1/audit/holds",
                "/v1/audit/events",
                "/v1/audit/export",
                "/v1/audit/counts",
                "/v1/audit/checkpoint",
                "/v1/audit/consistency",
                "/v1/audit/tile/0%2F000.p%2F3")) {
            assertThat(api.exchange(api.as(auditor, path).build()).statusCode()).isEqualTo(429);
        }
        api.exchange(api.as(api.token(Role.SUBMITTER, "research"), "/v1/blobs/" + UNKNOWN_DIGEST)
                .method("HEAD", BodyPublishers.noBody())
                .build());
    }

    private void answersToCallersWhoMayNot() {
        String viewer = api.token(Role.VIEWER, "default");
        for (String operation : OpenApiDocument.operations()) {
            String[] methodAndPath = operation.split(" ", 2);
            String path = path(methodAndPath[1]);
            for (HttpRequest.Builder request : List.of(api.anonymous(path), api.as(viewer, path))) {
                api.exchange(request.method(methodAndPath[0], BodyPublishers.noBody())
                        .build());
            }
        }
    }

    private static String path(String template) {
        return template.replace("{id}", TestApi.UNKNOWN_RUN)
                .replace("{digest}", UNKNOWN_DIGEST)
                .replace("{tenant}", "research")
                .replace("{seq}", "1")
                .replace("{name}", "git-token")
                .replace("{path}", "a");
    }

    private void answersOfANodeThatFails() {
        api.tokenStore.failWith(new IllegalStateException("a defect"));
        api.tenantStore.failWith(new IllegalStateException("a defect"));
        api.namedSecrets.failWith(new IllegalStateException("a defect"));
        api.holds.failWith(new IllegalStateException("a defect"));
        askForSecrets();
        askForHolds();
        askForTokens();
        changeTenants();
        api.namedSecrets.failWith(new StoreUnavailable("away"));
        api.holds.failWith(new StoreUnavailable("away"));
        askForSecrets();
        askForHolds();
        api.tokenStore.goAway();
        api.tenantStore.goAway();
        askForTokens();
        changeTenants();
        for (String path : List.of(
                "/v1/nodes",
                "/v1/tenants",
                "/v1/tenants/metrics",
                "/v1/tenants/research/usage",
                "/v1/tenants/research/webhooks",
                "/v1/audit/check")) {
            api.exchange(api.as(api.seal.mint(TokenSeal.Form.VIV).text(), path).build());
        }
        api.runs.failWith(new IllegalStateException("a defect"));
        api.blobs.failWith(new IllegalStateException("a defect"));
        api.audit.failure = Optional.of(new IllegalStateException("a defect"));
        askForRuns();
        askForBlobs();
        askForAllRuns();
        api.runs.goAway();
        api.blobs.goAway();
        api.audit.failure = Optional.of(new StoreUnavailable("away", new IllegalStateException("away")));
        askForRuns();
        askForBlobs();
        askForAllRuns();
    }

    private void changeTenants() {
        patch("/v1/tenants/research/quotas", "{\"runs\": 1}");
        putJson("/v1/tenants/research/webhooks", "{\"webhook\": null}");
        api.post("/v1/tenants/research/webhooks/key", "");
    }

    private void askForTokens() {
        String token = "/v1/tokens/0123456789abcdef";
        api.post("/v1/tokens", "{\"role\": \"viewer\"}");
        api.get("/v1/tokens");
        api.exchange(api.request(token).DELETE().build());
        api.post(token + "/rotate", "");
    }

    private void askForBlobs() {
        api.put("/v1/blobs/" + UNKNOWN_DIGEST, "content");
        api.head("/v1/blobs/" + UNKNOWN_DIGEST);
        delete("/v1/blobs/" + UNKNOWN_DIGEST);
    }

    private void askForRuns() {
        String run = "/v1/runs/" + TestApi.UNKNOWN_RUN;
        api.post("/v1/runs", Samples.SMALL_BODY);
        api.post(run + "/cancel", "");
        api.post(run + "/deadline", RENEWAL);
        api.post(run + "/webhooks/1/repeat", "");
        delete(run + "/output");
        delete(run + "/artifacts");
        List.of(
                        "/v1/runs",
                        run,
                        run + "/output",
                        run + "/events",
                        run + "/artifacts",
                        run + "/artifacts/a",
                        run + "/proof",
                        run + "/webhooks")
                .forEach(api::get);
    }

    @Test
    void everyKindOfEventAndTheResultingRunsAreAsDescribed() {
        Measurement measurement = Measurement.millis(5003, 5000);
        List<RunEvent> ends = List.of(
                new RunEvent.RunSucceeded(NOON, NODE, 1, USAGE),
                new RunEvent.RunFailed(NOON, NODE, 1, 3, Optional.empty(), USAGE),
                new RunEvent.RunFailed(NOON, NODE, 1, 139, Optional.of(11), USAGE),
                new RunEvent.RunKilled(NOON, NODE, 1, KillReason.WALL_CLOCK, Optional.of(measurement), USAGE),
                new RunEvent.RunKilled(NOON, NODE, 1, KillReason.OPERATOR, Optional.empty(), USAGE),
                new RunEvent.RunCancelled(NOON, NODE, 1, USAGE));
        for (RunEvent end : ends) {
            RunId run = api.running();
            api.runs.happen(
                    run,
                    new RunEvent.AlarmRaised(
                            NOON, NODE, 1, KillReason.WALL_CLOCK, measurement, RunEvent.Consequence.NOTED));
            api.runs.happen(
                    run,
                    new RunEvent.AlarmRaised(
                            NOON,
                            NODE,
                            1,
                            KillReason.OUTPUT,
                            Measurement.bytesPerSecond(2, 1),
                            RunEvent.Consequence.NOTED));
            api.runs.happen(
                    run,
                    new RunEvent.EgressDenied(
                            NOON, NODE, 1, 7, 2, List.of(new EgressDenial("tcp", "192.168.77.10", 80, 4))));
            api.runs.happen(run, kept());
            api.runs.happen(
                    run,
                    new RunEvent.EgressUsed(
                            NOON,
                            NODE,
                            1,
                            3,
                            1,
                            100,
                            200,
                            List.of(new EgressReach("tcp", "45.77.77.10", 443, 3, 90, 180))));
            api.runs.happen(
                    run,
                    new RunEvent.DeadlineMoved(
                            NOON,
                            NODE,
                            Principal.LOCAL_OPERATOR,
                            TimeSpan.parse("5m"),
                            TimeSpan.parse("10m"),
                            TimeSpan.parse("12m"),
                            Optional.empty()));
            api.runs.happen(run, new RunEvent.WarningSent(NOON, NODE, 1, WarningSignal.SIGUSR1, TimeSpan.parse("10m")));
            api.runs.happen(run, new RunEvent.CancelRequested(NOON, NODE, Principal.LOCAL_OPERATOR, Optional.empty()));
            api.runs.happen(run, end);
        }
        RunId queued = api.submitted();
        api.runs.happen(queued, new RunEvent.RunQueued(NOON, NODE));
        RunId lost = api.running();
        api.runs.happen(
                lost,
                new RunEvent.AttemptInterrupted(NOON, NODE, 1, Interruption.NODE_LOST, "It died.", Optional.empty()));
        api.runs.happen(lost, new RunEvent.RunLost(NOON, NODE, 1, Interruption.NODE_LOST, "It died."));
        RunId notStarted = api.submitted();
        api.runs.happen(notStarted, new RunEvent.AttemptStarting(NOON, NODE, 1));
        api.runs.happen(
                notStarted,
                new RunEvent.SecretsUsed(NOON, NODE, 1, List.of(new SecretVersion(new SecretName("git-token"), 1))));
        api.runs.happen(
                notStarted,
                new RunEvent.RunNotStarted(
                        NOON,
                        NODE,
                        1,
                        new StartFailure(StartFailure.Kind.IMAGE_UNAVAILABLE, "Name one that is there.")));

        Set<String> seen = new TreeSet<>();
        for (JsonNode run : TestApi.json(api.get("/v1/runs")).path("runs")) {
            JsonNode page = TestApi.json(api.get("/v1/runs/" + run.path("id").asText() + "/events"));
            page.path("events").forEach(event -> {
                assertThat(event.path("data").path("type")).isEqualTo(event.path("type"));
                seen.add(event.path("type").asText());
            });
        }
        JsonNode described = TestApi.json("[\"" + words("Event", "type") + "\"]");
        assertThat(seen).isEqualTo(new TreeSet<>(texts(described)));
    }

    private static String words(String schema, String property) {
        List<?> words =
                OpenApiDocument.schema(schema).getProperties().get(property).getEnum();
        return words.stream().map(String::valueOf).collect(Collectors.joining("\",\""));
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    @Test
    void everyProblemHasItsNameAndStatusInTheDocument() {
        List<String> described = texts(TestApi.json("[\"" + words("Problem", "type") + "\"]"));

        assertThat(described)
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(ProblemType.values())
                        .map(ProblemType::uri)
                        .toList());
        String explained =
                OpenApiDocument.schema("Problem").getProperties().get("type").getDescription();
        assertThat(ProblemType.values()).allSatisfy(type -> assertThat(explained)
                .contains(
                        "| " + type.uri().substring(type.uri().lastIndexOf('/') + 1) + " | " + type.status() + " | "));
    }

    @Test
    void theFieldsOfASubmissionAreThoseOfASpecAndTheSampleNamesThemAll() {
        JsonNode sample = TestApi.json(Samples.FULL_BODY);

        assertThat(OpenApiDocument.schema("Submission").getProperties().keySet())
                .isEqualTo(OpenApiDocument.schema("Spec").getProperties().keySet())
                .containsExactlyInAnyOrderElementsOf(names(sample));
        assertThat(OpenApiDocument.schema("LimitRequest").getProperties().keySet())
                .isEqualTo(OpenApiDocument.schema("Limits").getProperties().keySet())
                .containsExactlyInAnyOrderElementsOf(names(sample.path("limits")));
    }

    @Test
    void everyLimitOfTheTableIsDescribedWithItsDefaultAndItsCeiling() {
        Config shipped = Samples.SHIPPED.getConfig("limits");
        Schema<?> asked = OpenApiDocument.schema("LimitRequest");
        Schema<?> usages = OpenApiDocument.schema("Limits");

        assertThat(asked.getProperties().keySet()).containsExactlyElementsOf(limitNames());
        assertThat(usages.getProperties().keySet()).containsExactlyElementsOf(limitNames());
        assertThat(usages.getRequired()).containsExactlyInAnyOrderElementsOf(limitNames());
        for (Limit<?> limit : Limit.ALL) {
            String description = asked.getProperties().get(limit.name()).getDescription();
            assertThat(description).containsIgnoringCase("ceiling " + shipped.getString("ceiling." + limit.name()));
            if (limit != Limit.CPU_TIME) {
                assertThat(description).contains("Default " + shipped.getString("default." + limit.name()));
            }
            boolean isNumber = limit.kind().form() == LimitKind.Form.WHOLE_NUMBER;
            assertThat(usages.getProperties().get(limit.name()).getType()).isEqualTo(isNumber ? "integer" : "string");
        }
    }

    @Test
    void everyReportedUsageIsDescribed() {
        List<String> usages =
                Limit.ALL.stream().flatMap(limit -> limit.usage().stream()).toList();

        assertThat(OpenApiDocument.schema("Usage").getProperties().keySet()).containsExactlyElementsOf(usages);
        assertThat(OpenApiDocument.schema("Usage").getRequired()).containsExactlyInAnyOrderElementsOf(usages);
    }

    private static List<String> limitNames() {
        return Limit.ALL.stream().map(Limit::name).toList();
    }

    @Test
    void everyReasonOfAKillIsDescribed() {
        assertThat(OpenApiDocument.schema("KillReason").getEnum())
                .map(String::valueOf)
                .containsExactlyElementsOf(
                        Arrays.stream(KillReason.values()).map(Enum::name).toList());
    }

    private static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                Samples.FULL_BODY,
                "{}",
                "'limits': {'cpu': 0.5, 'memory': 268435456, 'disk': '1Gi', 'output': 1}",
                "'files': {'a.py': 'x', 'b.bin': {'base64': 'AP8='}}",
                "'files': {'a': {'base64': 'AP8=', 'mode': '0755'}}",
                "'egress': {'mode': 'none'}",
                "'isolation': 'container', 'onNodeLoss': 'fail', 'maxAttempts': 10, 'labels': {'a/b': ''}",
            })
    void aBodyThatTheDocumentAllowsIsAccepted(String body) {
        assertThat(OpenApiDocument.mistakes(submission(), whole(body))).isEmpty();
        assertThat(api.post("/v1/runs", whole(body)).statusCode()).isEqualTo(202);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'colour': 'red'",
                "'image': 7",
                "'command': 'true'",
                "'command': []",
                "'command': [1]",
                "'env': {'A': 1}",
                "'env': []",
                "'env': null",
                "'workdir': 'relative'",
                "'files': {'a': 1}",
                "'files': {'a': {'base64': 'AP8=', 'mode': '755'}}",
                "'files': {'a': {'base64': 'AP8=', 'mode': '1755'}}",
                "'files': {'a': {'digest': 'abc'}}",
                "'files': {'a': {'mode': '0755'}}",
                "'limits': {'ram': '1Gi'}",
                "'limits': {'wallClock': 5}",
                "'limits': {'pids': 0}",
                "'limits': {'pids': '5'}",
                "'limits': {'memory': true}",
                "'limits': {'egressRequests': 0}",
                "'egress': {}",
                "'egress': {'mode': 'internet'}",
                "'egress': {'mode': 'allowlist', 'allow': 'api.example.com'}",
                "'egress': {'mode': 'allowlist', 'allow': ['']}",
                "'isolation': 'CONTAINER'",
                "'onNodeLoss': 'RESTART'",
                "'maxAttempts': 0",
                "'maxAttempts': 11",
                "'labels': {'a': 1}",
            })
    void aBodyThatTheDocumentForbidsIsRefused(String body) {
        assertThat(OpenApiDocument.mistakes(submission(), whole(body))).isNotEmpty();
        assertThat(api.post("/v1/runs", whole(body)).statusCode()).isEqualTo(400);
    }

    private HttpRequest submission() {
        return api.request("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.noBody())
                .build();
    }

    /** Adds the required fields of a submission, unless they are given. */
    private static String whole(String fields) {
        if (fields.equals(Samples.FULL_BODY)) {
            return fields;
        }
        String json = fields.replace('\'', '"').replace("{}", fields.equals("{}") ? "" : "{}");
        String image = json.startsWith("\"image\"") ? "" : "\"image\": \"vivarium/python\"";
        String command = json.startsWith("\"command\"") ? "" : "\"command\": [\"true\"]";
        return List.of(image, command, json).stream()
                .filter(part -> !part.isEmpty())
                .collect(Collectors.joining(", ", "{", "}"));
    }

    /** The document's operations accept the parameters that they describe, and no others. */
    @ParameterizedTest
    @ValueSource(strings = {"/v1/runs", "/v1/runs/RUN/output", "/v1/runs/RUN/events"})
    void aParameterThatTheDocumentDoesNotNameIsRefused(String path) {
        HttpResponse<String> answer =
                api.get(path.replace("RUN", api.submitted().value()) + "?colour=red");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .containsExactly("colour");
    }
}
