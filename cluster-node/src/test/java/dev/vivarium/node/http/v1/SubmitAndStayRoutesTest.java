package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Submissions whose answer tells what becomes of the run. */
@Timeout(60)
class SubmitAndStayRoutesTest {
    private final TestApi api = new TestApi(
            "max-followers = 2, max-submissions = 2, max-wait = 30s, request-wait = 1s, request-timeout = 2s,"
                    + " body-timeout = 1s");

    @AfterEach
    void close() {
        api.close();
    }

    // ---- the run's end

    @Test
    void aRunThatEndsWithinTheWaitIsTheAnswer() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = submitting("?wait=25s");
        RunId run = accepted();
        start(run);
        api.runs.print(run, Stream.STDOUT, "hello");
        api.succeed(run);

        assertThat(answer.get().statusCode()).isEqualTo(200);
        assertThat(TestApi.json(answer.get()).path("status").asText()).isEqualTo("SUCCEEDED");
        assertThat(answer.get().headers().firstValue("Location")).hasValue("/v1/runs/" + run);
        assertThat(answer.get().headers().firstValue("Run-Id")).hasValue(run.value());
        await().until(() -> api.followers() == 0);
    }

    @Test
    void aRunThatLastsLongerIsShownAsItIsThen() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = submitting("?wait=500ms");
        start(accepted());

        assertThat(answer.get().statusCode()).isEqualTo(202);
        assertThat(TestApi.json(answer.get()).path("status").asText()).isEqualTo("RUNNING");
        await().until(() -> api.followers() == 0);
    }

    @Test
    void aWaitMayBeLongerThanOtherRequestsMayTake() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = submitting("?wait=3s");
        accepted();

        assertThat(answer.get().statusCode()).as(answer.get().body()).isEqualTo(202);
    }

    @Test
    void whoeverAsksAgainUnderTheSameKeyWaitsForTheSameRun() throws Exception {
        CompletableFuture<HttpResponse<String>> first = submitting("?wait=25s", "Idempotency-Key", "k");
        RunId run = accepted();
        CompletableFuture<HttpResponse<String>> second = submitting("?wait=25s", "Idempotency-Key", "k");
        await().until(() -> api.runs.followers(run) == 2);
        start(run);
        api.succeed(run);

        assertThat(first.get().statusCode()).isEqualTo(200);
        assertThat(second.get().statusCode()).isEqualTo(200);
        assertThat(second.get().body()).isEqualTo(first.get().body());
        assertThat(second.get().headers().firstValue("Idempotent-Replayed")).hasValue("true");
        HttpResponse<String> third =
                submitting("?wait=25s", "Idempotency-Key", "k").get();
        assertThat(third.statusCode()).isEqualTo(200);
        assertThat(api.runs.submissions()).isEqualTo(1);
    }

    @Test
    void aRunIsAcceptedEvenIfTheStoreIsAwayAfterwards() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = submitting("?wait=500ms");
        accepted();
        api.runs.goAway();

        assertThat(answer.get().statusCode()).isEqualTo(202);
        assertThat(TestApi.json(answer.get()).path("status").asText()).isEqualTo("SUBMITTED");
    }

    // ---- the run's output

    @Test
    void theOutputComesInTheSameRequestAndEndsWithTheRun() throws Exception {
        HttpResponse<InputStream> answer = following("?follow=output", "application/octet-stream");

        assertThat(answer.statusCode()).isEqualTo(200);
        RunId run = new RunId(answer.headers().firstValue("Run-Id").orElseThrow());
        assertThat(answer.headers().firstValue("Location")).hasValue("/v1/runs/" + run);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/octet-stream");
        try (InputStream body = answer.body()) {
            start(run);
            api.runs.print(run, Stream.STDOUT, "one");
            assertThat(body.readNBytes(3)).asString().isEqualTo("one");
            api.runs.print(run, Stream.STDERR, "two");
            api.succeed(run);
            assertThat(body.readAllBytes()).asString().isEqualTo("two");
        }
        await().until(() -> api.followers() == 0);
    }

    @Test
    void theOutputHasTheSameFormsAsWhenItIsRead() throws Exception {
        HttpResponse<InputStream> answer = following("?follow=output", "application/x-ndjson, application/json;q=0.5");
        RunId run = new RunId(answer.headers().firstValue("Run-Id").orElseThrow());
        start(run);
        api.runs.print(run, Stream.STDERR, "one");
        api.succeed(run);

        String lines = new String(answer.body().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(lines)
                .isEqualTo(api.get("/v1/runs/" + run + "/output", "Accept", "application/x-ndjson")
                        .body());
        assertThat(TestApi.json(lines).path("stream").asText()).isEqualTo("stderr");
    }

    @Test
    void aRepeatedSubmissionFollowsTheSameRunFromItsBeginning() throws Exception {
        HttpResponse<InputStream> first = following("?follow=output", "*/*", "Idempotency-Key", "k");
        RunId run = new RunId(first.headers().firstValue("Run-Id").orElseThrow());
        start(run);
        api.runs.print(run, Stream.STDOUT, "one");
        HttpResponse<InputStream> second = following("?follow=output", "*/*", "Idempotency-Key", "k");
        api.runs.print(run, Stream.STDOUT, "two");
        api.succeed(run);

        assertThat(second.headers().firstValue("Idempotent-Replayed")).hasValue("true");
        assertThat(second.headers().firstValue("Run-Id")).hasValue(run.value());
        assertThat(first.body().readAllBytes()).asString().isEqualTo("onetwo");
        assertThat(second.body().readAllBytes()).asString().isEqualTo("onetwo");
        assertThat(following("?follow=output", "*/*", "Idempotency-Key", "k")
                        .body()
                        .readAllBytes())
                .asString()
                .isEqualTo("onetwo");
    }

    // ---- bad input

    @ParameterizedTest
    @CsvSource({
        "?wait=-1s, wait",
        "?wait=0, wait",
        "?wait=0s, wait",
        "?wait=31s, wait",
        "?wait=999999h, wait",
        "?wait=soon, wait",
        "?wait=, wait",
        "?wait=1s&wait=2s, wait",
        "?wait=5s&follow=output, follow",
        "?follow=nonsense, follow",
        "?follow=true, follow",
        "?follow=output&follow=output, follow",
        "?watch=5s, watch",
    })
    void aWrongWishIsNamedAndNothingIsSubmitted(String query, String field) {
        HttpResponse<String> answer = api.post("/v1/runs" + query, Samples.SMALL_BODY);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("type").asText()).endsWith("/invalid-query");
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .containsExactly(field);
        assertThat(api.runs.submissions()).isZero();
    }

    @Test
    void headIsOfTheListWhichKnowsNoSuchWish() {
        for (String query : new String[] {"?wait=5s", "?follow=output"}) {
            HttpRequest head = api.request("/v1/runs" + query)
                    .method("HEAD", BodyPublishers.noBody())
                    .build();
            assertThat(api.send(head).statusCode()).isEqualTo(400);
        }
        assertThat(api.runs.submissions()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"?wait=5s, application/octet-stream", "?follow=output, application/json", "?follow=output, text/html"})
    void aFormThatTheAnswerDoesNotHaveIsRefusedBeforeAnythingIsSubmitted(String query, String accept) {
        HttpResponse<String> answer = api.post("/v1/runs" + query, Samples.SMALL_BODY, "Accept", accept);

        assertThat(answer.statusCode()).isEqualTo(406);
        assertThat(api.runs.submissions()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"?wait=25s", "?follow=output"})
    void aRunThatIsRefusedIsRefusedAtOnce(String query) {
        api.runs.refuseWith(new SubmitAnswer.Full(40));

        HttpResponse<String> answer = api.post("/v1/runs" + query, Samples.SMALL_BODY, "Accept", "*/*");

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValue("Location")).isEmpty();
        assertThat(api.post("/v1/runs" + query, "{}").statusCode()).isEqualTo(400);
        assertThat(api.followers()).isZero();
    }

    // ---- clients

    @ParameterizedTest
    @CsvSource({"?wait=25s", "?follow=output"})
    void aClientThatVanishesFreesEverythingAndItsRunGoesOn(String query) throws Exception {
        RunId run;
        try (Socket socket = post(query)) {
            run = accepted();
            await().until(() -> socket.isConnected() && api.followers() == 1 && api.runs.followers(run) == 1);
        }

        await().until(() -> api.followers() == 0 && api.runs.followers(run) == 0);
        assertThat(api.runs.stateOf(run)).isInstanceOf(RunState.Submitted.class);
    }

    @Test
    void moreThanTheNodeServesAreRefusedBeforeAnythingIsSubmitted() throws Exception {
        CompletableFuture<HttpResponse<String>> first = submitting("?wait=20s");
        RunId run = accepted();
        try (Socket second = post("?follow=output")) {
            await().until(() -> second.isConnected() && api.followers() == 2);
            int before = api.runs.submissions();

            for (String query : new String[] {"?wait=1s", "?follow=output"}) {
                HttpResponse<String> answer = api.post("/v1/runs" + query, Samples.SMALL_BODY, "Accept", "*/*");
                assertThat(answer.statusCode()).isEqualTo(429);
                assertThat(answer.headers().firstValue("Retry-After")).hasValue("5");
            }
            assertThat(api.runs.submissions()).isEqualTo(before);
            assertThat(api.post("/v1/runs", Samples.SMALL_BODY).statusCode()).isEqualTo(202);
        }
        start(run);
        api.succeed(run);
        assertThat(first.get().statusCode()).isEqualTo(200);
    }

    // ---- too many submissions

    @Test
    void moreSubmissionsThanTheNodeWorksOnAreRefusedUnread() throws Exception {
        CompletableFuture<Done> gate = new CompletableFuture<>();
        api.runs.holdSubmissions(gate);
        CompletableFuture<HttpResponse<String>> first = submitting("");
        CompletableFuture<HttpResponse<String>> second = submitting("");
        await().until(() -> submissionsUnderWay() == 2);

        HttpResponse<String> third = api.post("/v1/runs", "not even JSON");

        assertThat(third.statusCode()).isEqualTo(429);
        assertThat(TestApi.json(third).path("type").asText()).endsWith("/node-full");
        assertThat(third.headers().firstValue("Retry-After")).isPresent();
        gate.complete(Done.getInstance());
        assertThat(first.get().statusCode()).isEqualTo(202);
        assertThat(second.get().statusCode()).isEqualTo(202);
        await().until(() -> submissionsUnderWay() == 0);
        assertThat(api.post("/v1/runs", Samples.SMALL_BODY).statusCode()).isEqualTo(202);
    }

    @Test
    void aSubmissionIsNotUnderWayWhileItsBodyComesOrItsRunIsFollowed() throws Exception {
        CompletableFuture<HttpResponse<String>> waiting = submitting("?wait=20s");
        accepted();
        try (Socket slow = new Socket("localhost", api.port())) {
            slow.getOutputStream()
                    .write(("POST /v1/runs HTTP/1.1\r\n" + api.authorization()
                                    + "Host: localhost\r\nContent-Type: application/json\r\n"
                                    + "Content-Length: 1000\r\n\r\n{")
                            .getBytes(StandardCharsets.US_ASCII));
            await().until(() -> api.followers() == 1);

            assertThat(submissionsUnderWay()).isZero();
            assertThat(waiting).isNotDone();
        }
    }

    private double submissionsUnderWay() {
        return api.metrics.get("vivarium.http.submissions").gauge().value();
    }

    private CompletableFuture<HttpResponse<String>> submitting(String query, String... headers) {
        return api.client.sendAsync(submission(query, headers), BodyHandlers.ofString());
    }

    private HttpResponse<InputStream> following(String query, String accept, String... headers) throws Exception {
        String[] all = new String[headers.length + 2];
        System.arraycopy(headers, 0, all, 2, headers.length);
        all[0] = "Accept";
        all[1] = accept;
        return api.client.send(submission(query, all), BodyHandlers.ofInputStream());
    }

    private HttpRequest submission(String query, String... headers) {
        HttpRequest.Builder request = api.request("/v1/runs" + query)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(Samples.SMALL_BODY));
        return headers.length == 0 ? request.build() : request.headers(headers).build();
    }

    /** A connection that has sent a submission, and reads nothing. */
    private Socket post(String query) throws IOException {
        Socket socket = new Socket("localhost", api.port());
        byte[] body = Samples.SMALL_BODY.getBytes(StandardCharsets.UTF_8);
        socket.getOutputStream()
                .write(("POST /v1/runs" + query + " HTTP/1.1\r\n" + api.authorization()
                                + "Host: localhost\r\nContent-Type: application/json\r\n" + "Content-Length: "
                                + body.length + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().write(body);
        return socket;
    }

    /** The newest run, once there is one. */
    private RunId accepted() {
        await().until(() -> TestApi.json(api.get("/v1/runs")).path("runs").size() > 0);
        JsonNode newest = TestApi.json(api.get("/v1/runs")).path("runs").path(0);
        return new RunId(newest.path("id").asText());
    }

    private void start(RunId run) {
        api.runs.happen(run, new RunEvent.AttemptStarting(InMemoryRuns.NOON, "node-1", 1));
        api.runs.happen(
                run, new RunEvent.AttemptStarted(InMemoryRuns.NOON, "node-1", 1, "sandbox-1", Optional.empty()));
    }
}
