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

import dev.vivarium.protocol.api.OutputChunkView.Stream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OutputFollowerTest {
    private static final String NDJSON = "application/x-ndjson";
    private static final String RUN = "GET /v1/runs/" + ID;
    private static final String OUTPUT = RUN + "/output";

    private final StringBuilder read = new StringBuilder();
    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private OutputFollower follower(long from) {
        return new OutputFollower(
                node.client(),
                ID,
                Set.of(Stream.STDOUT, Stream.STDERR),
                from,
                chunk -> read.append(new String(chunk.data().toByteArray(), StandardCharsets.UTF_8)));
    }

    @Test
    void followsToTheEndOfTheRun() throws Exception {
        node.on(RUN, json(200, running()), json(200, succeeded()))
                .on(
                        OUTPUT,
                        answer(200, NDJSON, chunk("stdout", 0, "one ") + chunk("stderr", 4, "two")),
                        answer(200, NDJSON, ""));

        follower(0).read(OutputFollower.Mode.TO_THE_END);

        assertThat(read).hasToString("one two");
        assertThat(node.requests(OUTPUT).get(0).line()).endsWith("/output?stream=stderr%2Cstdout&follow=true&from=0");
        assertThat(node.requests(OUTPUT).get(0).header("Accept")).isEqualTo(NDJSON);
    }

    @Test
    void resumesWhereALostConnectionLeftIt() throws Exception {
        node.on(RUN, json(200, running()), json(200, succeeded()))
                .on(
                        OUTPUT,
                        cutOff(chunk("stdout", 0, "one ")
                                + chunk("stdout", 4, "two ").substring(0, 40)),
                        hangUp(),
                        answer(200, NDJSON, chunk("stdout", 2, "e two three")),
                        answer(200, NDJSON, ""));

        follower(0).read(OutputFollower.Mode.TO_THE_END);

        assertThat(read).hasToString("one two three");
        assertThat(node.requests(OUTPUT).get(1).line()).endsWith("from=4");
    }

    @Test
    void reconnectsWhenAStreamEndsBeforeItsRun() throws Exception {
        node.on(RUN, json(200, running()), json(200, running()), json(200, succeeded()))
                .on(
                        OUTPUT,
                        answer(200, NDJSON, chunk("stdout", 0, "a")),
                        answer(200, NDJSON, chunk("stdout", 1, "b")),
                        answer(200, NDJSON, chunk("stdout", 2, "c")));

        follower(0).read(OutputFollower.Mode.TO_THE_END);

        assertThat(read).hasToString("abc");
    }

    @Test
    void givesUpWhenTheNodeStaysUnreachable() {
        node.on(RUN, json(200, running())).on(OUTPUT, hangUp());

        assertThatThrownBy(() -> follower(0).read(OutputFollower.Mode.TO_THE_END))
                .isInstanceOf(ApiException.NodeUnreachable.class);
        assertThat(node.requests(OUTPUT)).hasSizeGreaterThan(3);
    }

    @Test
    void readsAvailableOutputWithoutWaiting() throws Exception {
        node.on(OUTPUT, answer(200, NDJSON, chunk("stdout", 7, "so far")));

        follower(7).read(OutputFollower.Mode.SO_FAR);

        assertThat(read).hasToString("so far");
        assertThat(node.requests().get(0).line()).contains("follow=false&from=7");
    }

    @Test
    void anInvalidOutputStreamIsReported() {
        node.on(OUTPUT, answer(200, NDJSON, "<html>\n"));

        assertThatThrownBy(() -> follower(0).read(OutputFollower.Mode.SO_FAR)).isInstanceOf(ApiException.Garbled.class);
    }

    @Test
    void aClosedSinkEndsIt() {
        node.on(OUTPUT, answer(200, NDJSON, chunk("stdout", 0, "x")));
        OutputFollower follower = new OutputFollower(node.client(), ID, Set.of(Stream.STDOUT), 0, chunk -> {
            throw new IOException("Broken pipe");
        });

        assertThatThrownBy(() -> follower.read(OutputFollower.Mode.SO_FAR))
                .isInstanceOf(OutputFollower.SinkClosed.class);
    }
}
