package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.admission.Samples;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostileRequestsTest {
    private final TestApi api = new TestApi("body-timeout = 1s, max-bodies = 9MiB, request-wait = 2s");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void aBodyOfTenMegabytesIsRefusedAsTooLarge() {
        HttpResponse<String> answer = api.post("/v1/runs", "x".repeat(10_000_000));

        assertThat(answer.statusCode()).isEqualTo(413);
        assertThat(answer.body()).contains("body-too-large").contains("8388608 bytes");
        assertThat(api.post("/v1/runs", Samples.SMALL_BODY).statusCode()).isEqualTo(202);
    }

    @Test
    void aBodyOfTenMegabytesWithoutALengthIsRefusedAsTooLarge() {
        HttpResponse<String> answer = api.exchange(api.request("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArrays(IntStream.range(0, 100)
                        .mapToObj(part -> new byte[100_000])
                        .toList()))
                .build());

        assertThat(answer.statusCode()).isEqualTo(413);
    }

    @Test
    void concurrentLargeBodiesDoNotExhaustTheNode() {
        String large =
                "{\"image\": \"a\", \"command\": [\"x\"], \"files\": {\"a\": \"" + "x".repeat(7_000_000) + "\"}}";

        List<CompletableFuture<HttpResponse<String>>> all = IntStream.range(0, 6)
                .mapToObj(index -> CompletableFuture.supplyAsync(() -> api.post("/v1/runs", large)))
                .toList();

        assertThat(all)
                .allSatisfy(answer -> assertThat(answer.join().statusCode()).isIn(202, 429));
        assertThat(api.post("/v1/runs", large).statusCode()).isEqualTo(202);
    }

    @Test
    void aTruncatedBodyDoesNoHarm() {
        String answer = api.raw("POST /v1/runs HTTP/1.1\r\n" + api.authorization()
                + "Host: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: 1000\r\n\r\n{\"image\": \"a\"");

        assertThat(answer).satisfiesAnyOf(text -> assertThat(text).isEmpty(), text -> assertThat(text)
                .startsWith("HTTP/1.1 400"));
        assertThat(api.runs.submissions()).isZero();
        assertThat(api.post("/v1/runs", Samples.SMALL_BODY).statusCode()).isEqualTo(202);
    }

    @Test
    void aBodyThatNeverArrivesTimesOut() throws Exception {
        try (var socket = new Socket("localhost", api.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write(("POST /v1/runs HTTP/1.1\r\n" + api.authorization()
                                    + "Host: localhost\r\nContent-Type: application/json\r\n"
                                    + "Content-Length: 1000\r\n\r\n{")
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] start = socket.getInputStream().readNBytes(12);
            assertThat(new String(start, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 408");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GARBAGE\r\n\r\n",
                "GET /v1/runs?x=%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /v1/runs/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /v1/runs HTTP/1.1\r\nConnection: close\r\n\r\n",
                "GET /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"
            })
    void aMalformedRequestIsAProblemToo(String request) {
        String answer = api.raw(request.replace("HTTP/1.1\r\n", "HTTP/1.1\r\n" + api.authorization()));

        assertThat(answer)
                .startsWith("HTTP/1.1 400")
                .contains("application/problem+json")
                .contains("nosniff");
        assertThat(answer).contains("https://vivarium.dev/problems/malformed-request");
    }

    @Test
    void anEndlessUriIsAProblemToo() {
        String answer = api.raw(
                "GET /" + "x".repeat(10_000) + " HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 414").contains("application/problem+json");
    }

    @Test
    void anEndlessQueryOrHeaderIsAProblemToo() {
        String query = api.raw("GET /v1/runs?label=" + "x".repeat(10_000) + " HTTP/1.1\r\n" + api.authorization()
                + "Host: localhost\r\n\r\n");
        String header = api.raw("GET /v1/runs HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\nX-Large: "
                + "x".repeat(100_000) + "\r\n\r\n");
        String headers = api.raw("GET /v1/runs HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\n"
                + "X-One: 1\r\n".repeat(1_000) + "\r\n");

        assertThat(query).startsWith("HTTP/1.1 414").contains("application/problem+json");
        assertThat(header).startsWith("HTTP/1.1 431").contains("application/problem+json");
        assertThat(headers).startsWith("HTTP/1.1 4").contains("application/problem+json");
        assertThat(api.get("/v1/runs").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "BREW /v1/runs HTTP/1.1,                              501",
        "GET /v1/runs HTTP/3.0,                               505",
        "POST /v1/runs HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\nContent-Length: 3, 400",
        "POST /v1/runs HTTP/1.1\\r\\nContent-Length: 3\\r\\nContent-Length: 4, 400",
    })
    void refusalsOfPekkoHttpAreProblemsToo(String head, int status) {
        String answer = api.raw(head.replace("\\r\\n", "\r\n") + "\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        assertThat(answer)
                .startsWith("HTTP/1.1 " + status)
                .contains("application/problem+json")
                .contains("https://vivarium.dev/problems/malformed-request")
                .contains("\"status\":" + status);
    }

    @Test
    void garbageAfterAValidRequestDoesNotAffectItsAnswer() {
        String answers = api.raw("GET /health/alive HTTP/1.1\r\n" + api.authorization()
                + "Host: localhost\r\n\r\n\0\1\2garbage\r\n\r\n");

        assertThat(answers).startsWith("HTTP/1.1 200").contains("HTTP/1.1 400").contains("problems/malformed-request");
        assertThat(api.get("/health/alive").statusCode()).isEqualTo(200);
    }

    @Test
    void aHeadThatArrivesByteByByteTimesOut() throws Exception {
        try (var socket = new Socket("localhost", api.port())) {
            socket.setSoTimeout(20_000);
            var sender = CompletableFuture.runAsync(() -> dribble(socket));

            assertThat(endOf(socket)).isEmpty();
            sender.join();
        }
        assertThat(api.get("/health/alive").statusCode()).isEqualTo(200);
    }

    /** Sends byte by byte until the server closes the connection. */
    private static void dribble(Socket socket) {
        try {
            socket.getOutputStream().write("GET /v1/runs HTTP/1.1\r\nX-Slow: ".getBytes(StandardCharsets.US_ASCII));
            for (int sent = 0; sent < 8_000; sent++) {
                socket.getOutputStream().write('x');
                LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
            }
        } catch (IOException closed) {
            // Expected: the server has closed the connection.
        }
    }

    @Test
    void anIdleConnectionIsClosed() throws Exception {
        try (var socket = new Socket("localhost", api.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write("GET /health/alive HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

            assertThat(endOf(socket)).startsWith("HTTP/1.1 200").endsWith("{\"status\":\"UP\",\"checks\":[]}");
        }
    }

    /** Everything that the server sends before it closes the connection. */
    private static String endOf(Socket socket) {
        StringBuilder text = new StringBuilder();
        try {
            for (int next = socket.getInputStream().read();
                    next >= 0;
                    next = socket.getInputStream().read()) {
                text.append((char) next);
            }
        } catch (SocketTimeoutException stillOpen) {
            throw new AssertionError("The server did not close the connection.", stillOpen);
        } catch (IOException reset) {
            // The server has closed while the client is still sending.
        }
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource({"/v1/runs, 403", "/nowhere, 403", "/nowhere, 404", "/metrics, 405", "/v1/runs/x/cancel, 404"})
    void aClientThatIsStillSendingARefusedBodySeesTheReason(String path, int status) {
        HttpRequest.Builder request = api.request(path).POST(BodyPublishers.ofByteArray(new byte[7_000_000]));

        HttpResponse<String> answer =
                api.send((status == 403 ? request.header("Origin", "https://evil.example") : request).build());

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    }

    @ParameterizedTest
    @CsvSource({"/v1/runs, https://evil.example, 403", "/nowhere, null, 404", "/metrics, null, 405"})
    void aRefusalDoesNotWaitForTheBody(String path, String origin, int status) throws Exception {
        try (var patient = new TestApi("body-timeout = 20s");
                var socket = new Socket("localhost", patient.port())) {
            String head = "POST " + path + " HTTP/1.1\r\n" + patient.authorization()
                    + "Host: localhost\r\nContent-Length: 2\r\n"
                    + ("null".equals(origin) ? "" : "Origin: " + origin + "\r\n") + "\r\n";
            socket.getOutputStream().write((head + "{").getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(10_000);

            assertThat(endOf(socket)).startsWith("HTTP/1.1 " + status).contains("Connection: close");
        }
    }

    @Test
    void aConnectionGoesOnAfterAShortBodyThatTheAnswerDidNotNeed() throws Exception {
        try (var socket = new Socket("localhost", api.port())) {
            socket.getOutputStream()
                    .write(("POST /v1/runs/x/cancel HTTP/1.1\r\n" + api.authorization()
                                    + "Host: localhost\r\nContent-Length: 2\r\n\r\n{")
                            .getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(300);
            assertThatThrownBy(() -> socket.getInputStream().read())
                    .as("an answer in the middle of the body")
                    .isInstanceOf(SocketTimeoutException.class);

            socket.getOutputStream()
                    .write("}GET /health/alive HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(10_000);
            assertThat(endOf(socket)).startsWith("HTTP/1.1 404").contains("HTTP/1.1 200");
        }
    }

    @Test
    void aHeadRequestIsRefusedWithoutABody() {
        String answer = api.raw("HEAD /v1/runs/x/cancel HTTP/1.1\r\n" + api.authorization()
                + "Host: localhost\r\nConnection: close\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 405").contains("Allow: ").endsWith("\r\n\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/runs",
                "/v1/runs/RUN",
                "/v1/runs/RUN/output",
                "/v1/runs/RUN/events",
                "/v1/runs/x",
                "/metrics"
            })
    void headAnswersAsGetDoesWithoutTheContent(String pattern) {
        String path = pattern.replace("RUN", api.submitted().toString());
        HttpResponse<String> get = api.get(path);

        String head = api.raw("HEAD " + path + " HTTP/1.1\r\n" + api.authorization()
                + "Host: localhost\r\nConnection: close\r\n\r\n");

        assertThat(head)
                .startsWith("HTTP/1.1 " + get.statusCode())
                .contains("Content-Type: "
                        + get.headers().firstValue("Content-Type").orElseThrow())
                .endsWith("\r\n\r\n");
        assertThat(head.indexOf("\r\n\r\n")).as("nothing after the head").isEqualTo(head.length() - 4);
    }

    @Test
    void headOfARunningRunsOutputFollowsNothing() {
        String path = "/v1/runs/" + api.running() + "/output?follow=true";

        assertThat(api.raw("HEAD " + path + " HTTP/1.1\r\n" + api.authorization()
                        + "Host: localhost\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200")
                .endsWith("\r\n\r\n");
        await().untilAsserted(() -> assertThat(api.followers()).isZero());
    }

    @ParameterizedTest
    @CsvSource({
        "GET,    /,                 404",
        "GET,    /v1,               404",
        "GET,    /v1/runs/,         404",
        "GET,    /v2/runs,          404",
        "GET,    /v1/runs/x/y,      404",
        "DELETE, /v1/runs,          405",
        "PUT,    /v1/runs/x,        405",
        "GET,    /v1/runs/x/cancel, 405",
        "POST,   /metrics,          405",
        "OPTIONS, /v1/runs,         405",
    })
    void unknownPathsAndMethodsAreProblemsToo(String method, String path, int status) {
        HttpResponse<String> answer = api.send(
                api.request(path).method(method, BodyPublishers.noBody()).build());

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(TestApi.json(answer).path("status").asInt()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Allow").isPresent()).isEqualTo(status == 405);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            /v1/runs           | text/html
            /v1/runs/x         | application/xml
            /v1/runs/RUN/output | application/json
            /v1/runs/RUN/output | application/octet-stream;q=0
            /v1/runs/RUN/events | text/plain
            """)
    void aMediaTypeThatIsNotOfferedIsNotAcceptable(String path, String accept) {
        String run = api.submitted().value();

        HttpResponse<String> answer = api.get(path.replace("RUN", run), "Accept", accept);

        assertThat(answer.statusCode()).isEqualTo(406);
        assertThat(TestApi.json(answer).path("detail").asText()).startsWith("Accept one of: ");
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, 200",
        "LOCALHOST:8080, 200",
        "127.0.0.1:1, 200",
        "[::1]:8080, 200",
        "evil.example, 421",
        "localhost.evil.example:8080, 421",
        "10.0.0.1, 421"
    })
    void onTheLoopbackAddressOnlyLocalHostNamesAreAnswered(String host, int status) {
        String answer = api.raw("GET /health/alive HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 " + status);
    }

    @ParameterizedTest
    @CsvSource({
        "Origin, https://evil.example",
        "Origin, null",
        "Origin, http://localhost:1",
        "Sec-Fetch-Site, cross-site",
        "Sec-Fetch-Site, same-site"
    })
    void pagesOfOtherSitesChangeNothing(String header, String value) {
        String run = api.submitted().value();

        assertThat(api.post("/v1/runs", Samples.SMALL_BODY, header, value).statusCode())
                .isEqualTo(403);
        assertThat(api.post("/v1/runs/" + run + "/cancel", "", header, value).statusCode())
                .isEqualTo(403);
        assertThat(api.runs.submissions()).isEqualTo(1);
    }

    @Test
    void aPageOfTheNodeItselfMayPost() {
        assertThat(api.post(
                                "/v1/runs",
                                Samples.SMALL_BODY,
                                "Origin",
                                "http://localhost:" + api.port(),
                                "Sec-Fetch-Site",
                                "same-origin")
                        .statusCode())
                .isEqualTo(202);
    }

    @Test
    void everyAnswerForbidsSniffingAndCaching() {
        HttpResponse<String> answer = api.get("/v1/runs");

        assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        assertThat(answer.headers().firstValue("Cache-Control")).hasValue("no-store");
        assertThat(answer.headers().firstValue("Server")).hasValue("vivarium");
    }
}
