package dev.vivarium.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.OutputFollower.Mode;
import dev.vivarium.client.OutputFollower.Sink;
import dev.vivarium.client.OutputFollower.SinkClosed;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.util.EnumSet;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Submits a run and passes on its output, each byte once and in order, from the same request. When that is lost it goes
 * on with an {@link OutputFollower}, as it does with a node that answers with the run only.
 */
public final class SubmissionFollower {
    private final ApiClient client;
    private final Consumer<String> accepted;
    private final Sink sink;

    /**
     * A follower of one submission.
     *
     * @param accepted receives the run's id, once the submission is durable
     * @param sink receives the output of both streams
     */
    public SubmissionFollower(ApiClient client, Consumer<String> accepted, Sink sink) {
        this.client = client;
        this.accepted = accepted;
        this.sink = sink;
    }

    /** Submits, and returns the run after its end. Idempotent: the same key with the same body is the same run. */
    public JsonNode read(JsonNode submission, String idempotencyKey)
            throws ApiException, SinkClosed, InterruptedIOException {
        HttpResponse<InputStream> answer = client.submitAndFollow(submission, idempotencyKey);
        Optional<String> streamed = answer.headers()
                .firstValue("Run-Id")
                .filter(id ->
                        answer.headers().firstValue("Content-Type").orElse("").startsWith("application/x-ndjson"));
        String run = streamed.isPresent() ? streamed.get() : run(answer);
        accepted.accept(run);
        OutputFollower output = new OutputFollower(client, run, EnumSet.allOf(Stream.class), 0, sink);
        if (streamed.isPresent() && isWhole(answer, output)) {
            JsonNode end = client.run(run);
            if (client.view(end).status().isTerminal()) {
                return end;
            }
        }
        output.read(Mode.TO_THE_END);
        return client.run(run);
    }

    private String run(HttpResponse<InputStream> answer) throws ApiException, InterruptedIOException {
        try (InputStream body = answer.body()) {
            return client.view(ApiJson.parse(body.readNBytes(ApiClient.ANSWER_BYTES_MAX)))
                    .id()
                    .value();
        } catch (JsonProcessingException malformed) {
            throw client.garbled(malformed);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException lost) {
            throw client.unreachable(lost);
        }
    }

    /** Whether the stream came to its own end, which follows the run's. */
    private boolean isWhole(HttpResponse<InputStream> answer, OutputFollower output)
            throws ApiException, SinkClosed, InterruptedIOException {
        try (Lines lines = new Lines(answer.body())) {
            output.passChunks(lines);
            return true;
        } catch (JsonProcessingException malformed) {
            throw client.garbled(malformed);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException lost) {
            return false;
        }
    }
}
