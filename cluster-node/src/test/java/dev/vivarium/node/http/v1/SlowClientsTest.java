package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.http.tls.ServerTls;
import dev.vivarium.node.http.tls.TestCertificates;
import dev.vivarium.protocol.access.Role;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients that take as long as they can keep nobody else out, with more connections than the node has. */
@Timeout(120)
class SlowClientsTest {
    private static final int CONNECTIONS = 12;
    /** More than the node takes, and its reserve. */
    private static final int FLOOD = 100;

    private static final String SETTINGS = "max-connections = " + CONNECTIONS
            + ", max-followers = 4, max-followers-of-one = 2, max-requests-of-one = 8";

    /** What a client sends that nobody knows, and then nothing or one byte after another. */
    enum Stranger {
        SILENCE(""),
        HALF_A_HEAD("POST /v1/runs HTTP/1.1\r\nHost: loc"),
        A_BODY_THAT_DRIPS("POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"),
        CHUNKS_THAT_DRIP("POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"),
        NO_BODY_AFTER_CONTINUE(
                "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n"),
        A_BODY_FOR_HEALTH("GET /health/alive HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"),
        AN_ANSWERED_REQUEST("GET /health/alive HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        PIPELINED_REQUESTS("POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}".repeat(50)),
        ANSWERS_THAT_ARE_NOT_READ("GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200));

        private final String sent;

        Stranger(String sent) {
            this.sent = sent;
        }
    }

    private final List<Socket> sockets = new ArrayList<>();

    @AfterEach
    void close() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void strangersKeepOutNoCaller(Stranger stranger) throws IOException {
        try (TestApi api = new TestApi(SETTINGS)) {
            for (int connection = 0; connection < FLOOD; connection++) {
                open(api, stranger.sent);
            }

            await().atMost(Duration.ofSeconds(4))
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(once(api, "GET /v1/runs")).startsWith("HTTP/1.1 200"));
            assertThat(once(api, "GET /health/alive")).startsWith("HTTP/1.1 200");
        }
    }

    @Test
    void handshakesThatStallKeepOutNoCaller(@TempDir Path folder) throws Exception {
        TestCertificates certificates = new TestCertificates(folder);
        certificates.issue("localhost", "127.0.0.1");
        ServerTls tls = ServerTls.of(certificates.files(), Optional.empty(), Clock.systemUTC());
        try (TestApi api = new TestApi(SETTINGS, Optional.of(tls))) {
            for (int connection = 0; connection < FLOOD; connection++) {
                open(api, "\u0016\u0003\u0001\u0002");
            }

            await().until(() -> api.displaced() >= FLOOD - CONNECTIONS - 64);
            assertThat(api.connections()).isLessThanOrEqualTo(CONNECTIONS + 64);
        }
    }

    @Test
    void aRefusedRequestIsAnsweredWithoutItsBodyAndClosed() throws IOException {
        try (TestApi api = new TestApi("body-timeout = 20s")) {
            Socket refused = open(api, Stranger.A_BODY_THAT_DRIPS.sent);

            refused.setSoTimeout(10_000);
            long begun = System.nanoTime();
            String answer = new String(refused.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(answer).startsWith("HTTP/1.1 401").contains("Connection: close", "unauthenticated");
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(5));
            await().atMost(Duration.ofSeconds(10)).until(() -> api.connections() == 0);
        }
    }

    @Test
    void refusalsOfStrangersWaitForEachOtherAndCallersAndHealthForNone() throws IOException {
        try (TestApi api = new TestApi("pace { strangers = 1, wait-max = 10s }")) {
            Socket stranger = open(api, Stranger.PIPELINED_REQUESTS.sent);

            await().until(() -> waited(api) == 1);

            assertThat(once(api, "GET /v1/runs")).startsWith("HTTP/1.1 200");
            assertThat(once(api, "GET /health/alive")).startsWith("HTTP/1.1 200");
            assertThat(stranger.getInputStream().available()).isBetween(1, 1_500);
        }
    }

    @Test
    void aCallerThatGoesOnAfterRefusalsWaitsAndOthersOfItsTenantDoNot() throws IOException {
        try (TestApi api = new TestApi("pace { refusals-of-one = 1, wait-max = 10s }")) {
            api.exchange(api.request("/v1/tenants/research/quotas")
                    .header("Content-Type", "application/json")
                    .method("PATCH", BodyPublishers.ofString("{\"submissionsPerSecond\": 0}"))
                    .build());
            String flooding = submission(api.token(Role.SUBMITTER, "research"));
            String other = submission(api.token(Role.SUBMITTER, "research"));
            assertThat(api.raw(flooding)).as("by its head").startsWith("HTTP/1.1 429");

            open(api, flooding);

            await().until(() -> waited(api) == 1);
            assertThat(api.raw(other)).startsWith("HTTP/1.1 429");
            assertThat(waited(api)).isEqualTo(1);
            assertThat(api.runs.submissions()).isZero();
        }
    }

    /** The head of a submission, whose body never comes. */
    private static String submission(String token) {
        return "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token
                + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    }

    private static double waited(TestApi api) {
        return api.metrics.get("vivarium.http.responses.paced").counter().count();
    }

    @Test
    void oneCallersSlowBodiesLeaveRoomForOthers() throws IOException {
        try (TestApi api = new TestApi(SETTINGS)) {
            String token = api.token(Role.SUBMITTER, "default");
            for (int connection = 0; connection < FLOOD; connection++) {
                open(
                        api,
                        "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token
                                + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");
            }

            await().atMost(Duration.ofSeconds(4))
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(once(api, "GET /v1/runs")).startsWith("HTTP/1.1 200"));
        }
    }

    @Test
    void aCallerHasNoMoreRequestsThanItsShare() throws IOException {
        try (TestApi api = new TestApi("max-requests-of-one = 2")) {
            for (int request = 0; request < 2; request++) {
                open(
                        api,
                        "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\n" + api.authorization()
                                + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");
            }

            await().untilAsserted(() -> assertThat(once(api, "GET /v1/runs"))
                    .startsWith("HTTP/1.1 429")
                    .contains("Retry-After: 5", "for one caller"));
            sockets.get(0).close();
            await().untilAsserted(() -> assertThat(once(api, "GET /v1/runs")).startsWith("HTTP/1.1 200"));
        }
    }

    @Test
    void aConnectionWhoseAnswersAreNotReadIsClosed() throws IOException {
        try (TestApi api = new TestApi("")) {
            open(api, Stranger.ANSWERS_THAT_ARE_NOT_READ.sent);
            await().until(() -> api.connections() == 1);

            await().atMost(Duration.ofSeconds(40)).until(() -> api.connections() == 0);
        }
    }

    private Socket open(TestApi api, String sent) throws IOException {
        Socket socket = new Socket("localhost", api.port());
        sockets.add(socket);
        try {
            socket.getOutputStream().write(sent.getBytes(StandardCharsets.ISO_8859_1));
        } catch (SocketException displaced) {
            // The node has closed it for others.
        }
        return socket;
    }

    private static String once(TestApi api, String request) {
        return api.raw(
                request + " HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\nConnection: close\r\n\r\n");
    }
}
