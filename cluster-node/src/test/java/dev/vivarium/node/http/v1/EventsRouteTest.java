package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class EventsRouteTest {
    private final TestApi api = new TestApi("heartbeat = 100ms");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void aHistoryIsShownWithoutSecretsAndFileContents() {
        RunId run = api.running();

        JsonNode page = TestApi.json(api.get("/v1/runs/" + run + "/events"));

        assertThat(page.path("events").findValuesAsText("seq")).containsExactly("1", "2", "3");
        assertThat(page.path("next").isNull()).isTrue();
        JsonNode submitted = page.path("events").path(0);
        assertThat(submitted.path("type").asText()).isEqualTo("RunSubmitted");
        assertThat(submitted.path("hash").asText()).hasSize(64);
        assertThat(submitted.path("data").path("spec").path("image").asText()).isEqualTo("vivarium/python");
        assertThat(submitted.path("data").path("spec").path("secrets").isArray())
                .isTrue();
        JsonNode started = page.path("events").path(2).path("data");
        assertThat(started.path("type").asText()).isEqualTo("AttemptStarted");
        assertThat(started.path("sandbox").asText()).isEqualTo("sandbox-1");
    }

    @Test
    void aHistoryCanBeReadInPages() {
        RunId run = api.running();

        JsonNode first = TestApi.json(api.get("/v1/runs/" + run + "/events?limit=2"));
        JsonNode second = TestApi.json(api.get(
                "/v1/runs/" + run + "/events?limit=2&from=" + first.path("next").asLong()));

        assertThat(first.path("events").findValuesAsText("seq")).containsExactly("1", "2");
        assertThat(second.path("events").findValuesAsText("seq")).containsExactly("3");
        assertThat(second.path("next").isNull()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"from=0, from", "limit=0, limit", "limit=1001, limit", "after=3, after"})
    void aWrongParameterIsNamed(String query, String field) {
        HttpResponse<String> answer = api.get("/v1/runs/" + api.running() + "/events?" + query);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .containsExactly(field);
    }

    @Test
    void followingSendsEachEventAsItHappensAndEndsAfterTheLast() throws Exception {
        RunId run = api.running();
        try (EventStream stream = follow(run, "Accept", "text/event-stream")) {
            assertThat(stream.contentType).isEqualTo("text/event-stream");
            assertThat(stream.next())
                    .startsWith("id: 1\nevent: RunSubmitted\ndata: {\"run\":\"" + run + "\",\"seq\":1,");
            assertThat(stream.next()).startsWith("id: 2\nevent: AttemptStarting\n");
            assertThat(stream.next()).startsWith("id: 3\nevent: AttemptStarted\n");

            api.runs.happen(
                    run,
                    new RunEvent.CancelRequested(
                            InMemoryRuns.NOON, "node-1", Principal.LOCAL_OPERATOR, Optional.empty()));
            assertThat(stream.next()).startsWith("id: 4\nevent: CancelRequested\n");

            api.succeed(run);
            assertThat(stream.next()).startsWith("id: 5\nevent: RunSucceeded\n");
            assertThat(stream.next()).isEmpty();
        }
        await().until(() -> api.followers() == 0);
    }

    @Test
    void aSilentStreamHasHeartbeats() throws Exception {
        RunId run = api.running();
        try (EventStream stream = follow(run, "Accept", "text/event-stream", "Last-Event-ID", "3")) {
            assertThat(List.of(stream.line(), stream.line(), stream.line(), stream.line()))
                    .containsExactly(":", "", ":", "");
        }
    }

    @Test
    void aReconnectingClientContinuesAfterItsLastEvent() throws Exception {
        RunId run = api.running();
        try (EventStream stream = follow(run, "Accept", "text/event-stream", "Last-Event-ID", "2")) {
            assertThat(stream.next()).startsWith("id: 3\n");
        }
    }

    @Test
    void aClientThatHasSeenTheLastEventIsToldToStopReconnecting() {
        RunId run = api.running();
        api.succeed(run);

        assertThat(api.get("/v1/runs/" + run + "/events", "Accept", "text/event-stream", "Last-Event-ID", "4")
                        .statusCode())
                .isEqualTo(204);
        assertThat(api.get("/v1/runs/" + run + "/events", "Accept", "text/event-stream", "Last-Event-ID", "3")
                        .body())
                .contains("id: 4\nevent: RunSucceeded");
        assertThat(api.get("/v1/runs/" + run + "/events", "Accept", "text/event-stream", "Last-Event-ID", "x")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void aClientThatVanishesFreesEverything() throws Exception {
        RunId run = api.running();
        try (EventStream stream = follow(run, "Accept", "text/event-stream")) {
            stream.next();
            assertThat(api.runs.followers(run)).isEqualTo(1);
        }

        await().until(() -> api.followers() == 0 && api.runs.followers(run) == 0);
    }

    private EventStream follow(RunId run, String... headers) throws Exception {
        HttpResponse<InputStream> answer = api.client.send(
                api.request("/v1/runs/" + run + "/events").headers(headers).build(), BodyHandlers.ofInputStream());
        return new EventStream(answer);
    }

    /** Reads events and skips comments. */
    private static final class EventStream implements AutoCloseable {
        final String contentType;
        private final BufferedReader reader;

        EventStream(HttpResponse<InputStream> answer) {
            contentType = answer.headers().firstValue("Content-Type").orElse("");
            reader = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
        }

        String line() throws Exception {
            return reader.readLine();
        }

        /** The next event, or empty at the end. */
        String next() throws Exception {
            StringBuilder event = new StringBuilder();
            for (String line = line(); line != null; line = line()) {
                if (!line.startsWith(":") && !line.isEmpty()) {
                    event.append(line).append('\n');
                } else if (line.isEmpty() && !event.isEmpty()) {
                    return event.toString();
                }
            }
            return event.toString();
        }

        @Override
        public void close() throws IOException {
            reader.close();
        }
    }
}
