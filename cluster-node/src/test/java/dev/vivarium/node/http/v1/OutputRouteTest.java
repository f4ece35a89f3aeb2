package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.Usage;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class OutputRouteTest {
    private final TestApi api = new TestApi("follow-read = 64KiB, request-wait = 1s");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void outputIsTheBytesAsTheyWerePrinted() throws Exception {
        RunId run = api.running();
        byte[] bytes = new byte[300_000];
        new Random(1).nextBytes(bytes);
        for (int at = 0; at < bytes.length; at += 10_000) {
            api.runs.print(run, Stream.STDOUT, Arrays.copyOfRange(bytes, at, at + 10_000));
        }

        HttpResponse<byte[]> answer =
                api.client.send(api.request("/v1/runs/" + run + "/output").build(), BodyHandlers.ofByteArray());

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/octet-stream");
        assertThat(answer.body()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({
        "'',                    one two three",
        "?stream=stdout,        one three",
        "?stream=stderr,        ' two '",
        "?stream=stderr&stream=stdout, one two three",
        "'?stream=stderr,stdout', one two three",
        "?from=4,               two three",
        "?from=5,               wo three",
        "?from=5&stream=stdout, three",
        "?from=13,              ''",
        "?from=99,              ''",
        "?follow=false,         one two three",
    })
    void streamsAndOffsetsSelectTheOutput(String query, String expected) {
        RunId run = api.running();
        api.runs.print(run, Stream.STDOUT, "one");
        api.runs.print(run, Stream.STDERR, " two ");
        api.runs.print(run, Stream.STDOUT, "three");

        assertThat(api.get("/v1/runs/" + run + "/output" + query).body().strip())
                .isEqualTo(
                        query.contains("stdout") && !query.contains("stderr") && !query.contains("from")
                                ? "onethree"
                                : expected.strip());
    }

    @ParameterizedTest
    @CsvSource({"?stream=stdin, stream", "?follow=maybe, follow", "?from=-1, from", "?from=x, from", "?form=1, form"})
    void aWrongParameterIsNamed(String query, String field) {
        RunId run = api.running();

        HttpResponse<String> answer = api.get("/v1/runs/" + run + "/output" + query);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .containsExactly(field);
    }

    @Test
    void asJsonLinesEachChunkHasItsStreamAndItsOffset() {
        RunId run = api.running();
        api.runs.print(run, Stream.STDOUT, "one");
        api.runs.print(run, Stream.STDERR, "two");

        HttpResponse<String> answer = api.get("/v1/runs/" + run + "/output?from=1", "Accept", "application/x-ndjson");

        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
        List<JsonNode> lines = answer.body().lines().map(TestApi::json).toList();
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0).toString())
                .isEqualTo(
                        "{\"stream\":\"stdout\",\"attempt\":1,\"process\":1,\"offset\":1,\"time\":\"2026-11-24T12:00:00Z\",\"data\":\"bmU=\"}");
        assertThat(lines.get(1).path("offset").asLong()).isEqualTo(3);
    }

    @Test
    void followingSendsEachPieceImmediatelyAndEndsWithTheRun() throws Exception {
        RunId run = api.running();
        api.runs.print(run, Stream.STDOUT, "one");

        HttpResponse<InputStream> answer = api.client.send(
                api.request("/v1/runs/" + run + "/output?follow=true").build(), BodyHandlers.ofInputStream());

        try (InputStream body = answer.body()) {
            assertThat(text(body.readNBytes(3))).isEqualTo("one");
            api.runs.print(run, Stream.STDERR, "two");
            assertThat(text(body.readNBytes(3))).isEqualTo("two");
            api.runs.print(run, Stream.STDOUT, "three");
            api.succeed(run);
            assertThat(text(body.readAllBytes())).isEqualTo("three");
        }
        await().until(() -> api.followers() == 0);
    }

    @Test
    void followingARunThatHasEndedSendsEverythingAndEnds() {
        RunId run = api.running();
        IntStream.range(0, 100).forEach(index -> api.runs.print(run, Stream.STDOUT, "0123456789".repeat(1000)));
        api.succeed(run);

        assertThat(api.get("/v1/runs/" + run + "/output?follow=true").body()).hasSize(1_000_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?follow=true", "?from=3"})
    void outputThatWasDeletedIsNotTakenForNone(String query) {
        RunId run = api.running();
        api.runs.happen(
                run, new RunEvent.RunSucceeded(InMemoryRuns.NOON, "node-1", 1, Usage.NONE.with(Limit.OUTPUT, 5)));

        HttpResponse<String> answer = api.get("/v1/runs/" + run + "/output" + query);

        assertThat(answer.statusCode()).isEqualTo(410);
        assertThat(TestApi.json(answer).path("type").asText()).endsWith("/deleted");
    }

    @Test
    void concurrentFollowersSeeEverythingInOrder() {
        RunId run = api.running();
        List<CompletableFuture<HttpResponse<String>>> all = IntStream.range(0, 20)
                .mapToObj(index -> api.client.sendAsync(
                        api.request("/v1/runs/" + run + "/output?follow=true").build(), BodyHandlers.ofString()))
                .toList();
        StringBuilder printed = new StringBuilder();
        for (int line = 0; line < 2_000; line++) {
            printed.append(line).append('\n');
            api.runs.print(run, Stream.STDOUT, line + "\n");
        }
        await().until(() -> api.followers() == 20);
        api.succeed(run);

        assertThat(all).allSatisfy(answer -> assertThat(answer.join().body()).isEqualTo(printed.toString()));
    }

    @Test
    void aClientThatVanishesFreesEverythingWhileTheRunIsSilent() throws Exception {
        RunId run = api.running();
        try (Socket socket = new Socket("localhost", api.port())) {
            socket.getOutputStream()
                    .write(("GET /v1/runs/" + run + "/output?follow=true HTTP/1.1\r\n" + api.authorization()
                                    + "Host: localhost\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            await().until(() -> api.followers() == 1 && api.runs.followers(run) == 1);
        }

        await().until(() -> api.followers() == 0 && api.runs.followers(run) == 0);
    }

    @Test
    void aClientThatDoesNotReadNeedsLittleMemoryAndDelaysNoOther() throws Exception {
        RunId run = api.running();
        try (Socket socket = new Socket("localhost", api.port())) {
            socket.setReceiveBufferSize(4096);
            socket.getOutputStream()
                    .write(("GET /v1/runs/" + run + "/output?follow=true HTTP/1.1\r\n" + api.authorization()
                                    + "Host: localhost\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            await().until(() -> api.runs.followers(run) == 1);
            for (int chunk = 0; chunk < 400; chunk++) {
                api.runs.print(run, Stream.STDOUT, new byte[60_000]);
            }
            api.succeed(run);

            HttpResponse<byte[]> other = api.client.send(
                    api.request("/v1/runs/" + run + "/output?follow=true").build(), BodyHandlers.ofByteArray());

            assertThat(other.body()).hasSize(24_000_000);
            assertThat(api.followers()).isEqualTo(1);
        }
        await().until(() -> api.followers() == 0);
    }

    @Test
    void followersAreDisconnectedAfterTheServersGrace() throws Exception {
        RunId run = api.running();
        CompletableFuture<HttpResponse<String>> follower = api.client.sendAsync(
                api.request("/v1/runs/" + run + "/output?follow=true").build(), BodyHandlers.ofString());
        await().until(() -> api.followers() == 1);

        api.server()
                .stop(java.time.Duration.ofMillis(200))
                .toCompletableFuture()
                .get();

        assertThat(follower.handle((answer, failure) -> failure != null).get()).isTrue();
        await().until(() -> api.followers() == 0);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
