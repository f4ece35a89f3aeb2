package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.AuditFollower;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The events of all runs as they come. */
@Timeout(60)
class AuditTailTest {
    private final TestApi api = new TestApi("heartbeat = 300ms");

    @BeforeEach
    void empty() {
        api.audit.head = new AuditHead(0, 0);
    }

    @AfterEach
    void close() {
        api.close();
    }

    private void happen(String tenant) {
        long position = api.audit.events.size();
        Blob hash = Blob.of(new byte[32]);
        api.audit.events.add(new AuditEntry(
                position,
                Instant.parse("2026-11-24T12:00:00Z"),
                new RunId(TestApi.UNKNOWN_RUN),
                position + 1,
                "RunTeleported",
                "node-1",
                tenant,
                "vivarium/python",
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                new JournalEntry("RunTeleported", 1, Blob.ofUtf8("{}"), hash, hash)));
        api.audit.head = new AuditHead(position + 1, 0);
    }

    /** A client that reads lines of a tail. */
    private final class Reader implements AutoCloseable {
        private final Socket socket = new Socket("localhost", api.port());
        private final BufferedReader lines =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));

        Reader(String query, String headers) throws IOException {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("GET /v1/audit/events" + query + " HTTP/1.1\r\nHost: localhost\r\n" + api.authorization()
                                    + "Accept: text/event-stream\r\n" + headers + "\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
        }

        String next(String start) throws IOException {
            String line = lines.readLine();
            while (line != null && !line.startsWith(start)) {
                line = lines.readLine();
            }
            return String.valueOf(line);
        }

        /** The id of the next event. */
        long event() throws IOException {
            return TestApi.json(next("data: ").substring("data: ".length()))
                    .path("position")
                    .asLong();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void aTailBeginsWithWhatComesNextAndHasEachEventOnceAndInOrder() throws IOException {
        happen("a");
        try (Reader tail = new Reader("", "")) {
            assertThat(tail.next("id:")).isEqualTo("id: 0");
            for (int n = 1; n <= 250; n++) {
                happen("a");
            }
            for (int n = 1; n <= 250; n++) {
                assertThat(tail.event()).isEqualTo(n);
            }
        }
        await().until(() -> api.followers() == 0);
    }

    @Test
    void aTailFromPositionZeroHasEverythingAndOneOfAnEmptyOrderToo() throws IOException {
        try (Reader early = new Reader("?from=0", "")) {
            assertThat(early.next("id:")).isEqualTo("id: -1");
            happen("a");
            happen("a");
            assertThat(early.event()).isZero();
            assertThat(early.event()).isEqualTo(1);
        }
        try (Reader late = new Reader("?from=0", "");
                Reader resumed = new Reader("", "Last-Event-ID: -1\r\n")) {
            assertThat(late.event()).isZero();
            assertThat(resumed.event()).isZero();
        }
    }

    @Test
    void anyNodeGoesOnBehindTheLastEvent() throws IOException {
        for (int n = 0; n < 10; n++) {
            happen("a");
        }
        try (Reader tail = new Reader("?from=0", "Last-Event-ID: 6\r\n")) {
            assertThat(tail.event()).isEqualTo(7);
        }
        try (Reader tail = new Reader("", "Last-Event-ID: 9\r\n")) {
            happen("a");
            assertThat(tail.event()).isEqualTo(10);
        }
    }

    @Test
    void aTailWithConditionsSaysHowFarItHasLookedSoThatNothingIsLookedThroughTwice() throws IOException {
        for (int n = 0; n < 5; n++) {
            happen("a");
        }
        try (Reader tail = new Reader("?tenant=b&from=0", "")) {
            assertThat(tail.next("id: 4")).isEqualTo("id: 4");
            happen("b");
            assertThat(tail.event()).isEqualTo(5);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "-2", "1.5", "9999999999999999999", "1e3", "%00"})
    void aMalformedIdIsRefused(String id) {
        HttpResponse<String> answer = api.get("/v1/audit/events", "Accept", "text/event-stream", "Last-Event-ID", id);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("type").asText()).endsWith("invalid-header");
    }

    @Test
    void theFutureIsRefusedAndSaysHowFarTheOrderReaches() {
        happen("a");

        HttpResponse<String> seen = api.get("/v1/audit/events", "Accept", "text/event-stream", "Last-Event-ID", "1");
        HttpResponse<String> from = api.get("/v1/audit/events?from=2", "Accept", "text/event-stream");

        assertThat(List.of(seen.statusCode(), from.statusCode())).containsOnly(400);
        assertThat(seen.body()).contains("The order has 1 events so far");
        assertThat(TestApi.json(from).path("errors").findValuesAsText("field")).containsExactly("from");
    }

    @ParameterizedTest
    @CsvSource({
        "order=oldest, order",
        "cursor=x, cursor",
        "limit=5, limit",
        "after=1, after",
        "from=-1, from",
        "type=x, type"
    })
    void whatATailCannotHaveIsRefused(String query, String field) {
        HttpResponse<String> answer = api.get("/v1/audit/events?" + query, "Accept", "text/event-stream");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .contains(field);
    }

    @Test
    void anAuditorFollowsItsTenantOnly() throws IOException {
        happen("foreign");
        happen("research");
        String token = api.token(Role.AUDITOR, "research");
        List<JsonNode> events = new CopyOnWriteArrayList<>();
        Thread follower = follow(token, List.of(Map.entry("from", "0")), events);
        await().until(() -> events.size() == 1);
        assertThat(events.get(0).path("tenant").asText()).isEqualTo("research");
        follower.interrupt();
        assertThat(api.exchange(api.as(token, "/v1/audit/events?tenant=foreign")
                                .header("Accept", "text/event-stream")
                                .build())
                        .statusCode())
                .isEqualTo(400);
    }

    private Thread follow(String token, List<Map.Entry<String, String>> query, List<JsonNode> events) {
        ApiClient client = new ApiClient(
                URI.create("http://localhost:" + api.port()),
                Credentials.of(token),
                new RetryPolicy(Duration.ofSeconds(10), Duration.ofMillis(5), Duration.ofMillis(50)));
        Thread thread = new Thread(() -> {
            try {
                new AuditFollower(client, query, events::add).follow();
            } catch (ApiException | InterruptedIOException ended) {
                // The test is over.
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Test
    void aFollowerMissesNothingWhileTheStoreIsAway() {
        List<JsonNode> events = new CopyOnWriteArrayList<>();
        Thread follower = follow(api.local, List.of(), events);
        await().until(() -> api.followers() == 1);
        happen("a");
        await().until(() -> events.size() == 1);

        api.audit.failure = Optional.of(new dev.vivarium.persistence.journal.StoreUnavailable("away"));
        happen("a");
        await().until(() -> api.followers() == 0);
        happen("a");
        api.audit.failure = Optional.empty();

        await().until(() -> events.size() >= 3);
        assertThat(events.stream().map(event -> event.path("position").asLong()))
                .containsExactlyElementsOf(LongStream.range(0, 3).boxed().toList());
        follower.interrupt();
    }

    /** A hundred readers that have everything cost the store one look at a time, and one that reads nothing costs none. */
    @Test
    void readersThatWaitShareOneLookAndASlowOneIsNotReadFor() throws IOException {
        happen("a");
        List<Reader> readers = new ArrayList<>();
        for (int n = 0; n < 40; n++) {
            readers.add(new Reader("", ""));
        }
        await().until(() -> api.followers() == 40);
        int reads = api.audit.reads.get();
        int before = api.audit.looks.get();
        await().until(() -> api.audit.looks.get() >= before + 10);
        // Forty that looked by themselves would have looked four hundred times meanwhile.
        assertThat(api.audit.looks.get()).isLessThan(before + 30);
        for (Reader reader : readers) {
            reader.close();
        }
        await().until(() -> api.followers() == 0);

        // given: much to read, and a reader that takes nothing
        for (int n = 0; n < 60_000; n++) {
            happen("a");
        }
        try (Reader slow = new Reader("?from=0", "")) {
            await().until(() -> api.audit.reads.get() > reads);
            int[] seen = {-1};
            await().pollInterval(Duration.ofMillis(500)).until(() -> {
                int now = api.audit.reads.get();
                boolean still = now == seen[0];
                seen[0] = now;
                return still;
            });
            assertThat(seen[0] - reads).isLessThan(500);
            for (long n = 0; n < 60_000; n++) {
                assertThat(slow.event()).isEqualTo(n);
            }
        }
    }
}
