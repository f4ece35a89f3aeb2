package dev.vivarium.client;

import static dev.vivarium.client.SampleRuns.ID;
import static dev.vivarium.client.SampleRuns.chunk;
import static dev.vivarium.client.SampleRuns.running;
import static dev.vivarium.client.SampleRuns.succeeded;
import static dev.vivarium.client.ScriptedNode.answer;
import static dev.vivarium.client.ScriptedNode.cutOff;
import static dev.vivarium.client.ScriptedNode.hangUp;
import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SubmissionFollowerTest {
    private static final String NDJSON = "application/x-ndjson";
    private static final String SUBMIT = "POST /v1/runs";
    private static final String RUN = "GET /v1/runs/" + ID;
    private static final String OUTPUT = RUN + "/output";

    /** The id and a colon when it was received, then the output. */
    private final StringBuilder received = new StringBuilder();

    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void oneRequestDoesAllAndAnotherTellsTheEnd() throws Exception {
        node.on(SUBMIT, named(answer(200, NDJSON, chunk("stdout", 0, "one ") + chunk("stderr", 4, "two"))))
                .on(RUN, json(200, succeeded()));

        assertThat(read().path("status").asText()).isEqualTo("SUCCEEDED");

        assertThat(received).hasToString(ID + ":one two");
        assertThat(node.requests()).hasSize(2);
        ScriptedNode.Request submission = node.requests(SUBMIT).get(0);
        assertThat(submission.line()).isEqualTo("POST /v1/runs?follow=output");
        assertThat(submission.header("Idempotency-key")).isEqualTo("key");
        assertThat(submission.header("Accept")).startsWith(NDJSON);
    }

    @Test
    void aNodeThatOnlyAnswersWithTheRunIsFollowed() throws Exception {
        node.on(SUBMIT, json(202, running()))
                .on(RUN, json(200, running()), json(200, succeeded()))
                .on(OUTPUT, answer(200, NDJSON, chunk("stdout", 0, "one")), answer(200, NDJSON, ""));

        assertThat(read().path("status").asText()).isEqualTo("SUCCEEDED");

        assertThat(received).hasToString(ID + ":one");
    }

    @Test
    void aLostConnectionIsResumedWithoutSubmittingAgain() throws Exception {
        node.on(SUBMIT, named(cutOff(chunk("stdout", 0, "one ") + "{")))
                .on(RUN, json(200, running()), json(200, succeeded()))
                .on(OUTPUT, answer(200, NDJSON, chunk("stdout", 4, "two")), answer(200, NDJSON, ""));

        read();

        assertThat(received).hasToString(ID + ":one two");
        assertThat(node.requests(SUBMIT)).hasSize(1);
        assertThat(node.requests(OUTPUT).get(0).line()).endsWith("from=4");
    }

    @Test
    void aSubmissionWithoutAnAnswerIsSentAgainUnderItsKey() throws Exception {
        node.on(
                        SUBMIT,
                        hangUp(),
                        json(503, "{\"title\": \"draining\"}"),
                        named(answer(200, NDJSON, chunk("stdout", 0, "one"))))
                .on(RUN, json(200, succeeded()));

        read();

        assertThat(received).hasToString(ID + ":one");
        assertThat(node.requests(SUBMIT))
                .extracting(request -> request.header("Idempotency-key"))
                .containsOnly("key")
                .hasSize(3);
    }

    @Test
    void aStreamThatEndsBeforeItsRunIsContinued() throws Exception {
        node.on(SUBMIT, named(answer(200, NDJSON, chunk("stdout", 0, "one "))))
                .on(RUN, json(200, running()), json(200, succeeded()))
                .on(OUTPUT, answer(200, NDJSON, chunk("stdout", 4, "two")));

        read();

        assertThat(received).hasToString(ID + ":one two");
    }

    @Test
    void aRefusalIsTheCallersAndNothingIsTold() {
        node.on(SUBMIT, json(400, "{\"title\": \"The run cannot be accepted as described\"}"));

        assertThatThrownBy(this::read).isInstanceOf(ApiException.Refused.class);

        assertThat(received).isEmpty();
    }

    @Test
    void aSubmissionMayWaitForItsEnd() throws Exception {
        node.on(SUBMIT, json(200, succeeded()));

        JsonNode run = node.client().submitAndWait(ApiJson.object(), "key", Duration.ofSeconds(30));

        assertThat(run.path("status").asText()).isEqualTo("SUCCEEDED");
        assertThat(node.requests(SUBMIT).get(0).line()).isEqualTo("POST /v1/runs?wait=30000ms");
        assertThat(node.requests(SUBMIT).get(0).header("Idempotency-key")).isEqualTo("key");
    }

    private JsonNode read() throws Exception {
        return new SubmissionFollower(node.client(), id -> received.append(id).append(':'), chunk -> {
                    received.append(new String(chunk.data().toByteArray(), StandardCharsets.UTF_8));
                })
                .read(ApiJson.object(), "key");
    }

    private static ScriptedNode.Answer named(ScriptedNode.Answer answer) {
        return exchange -> {
            exchange.getResponseHeaders().set("Run-Id", ID);
            exchange.getResponseHeaders().set("Content-Type", NDJSON);
            answer.give(exchange);
        };
    }
}
