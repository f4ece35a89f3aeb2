package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;

/** An agent that measures the cost of its isolation class by its own clock. */
public final class CostProbe {
    private static final String PROGRAM =
            """
            import json, os, time
            print(flush=True)
            def timed(work):
                began = time.perf_counter_ns()
                work()
                return time.perf_counter_ns() - began
            def processes():
                for _ in range(20):
                    os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)
            def computing():
                total = 0
                for number in range(2_000_000):
                    total += number
            def calls():
                for _ in range(5_000):
                    os.stat('/tmp')
            print(json.dumps({work.__name__: timed(work) for work in (processes, computing, calls)}))
            """;

    private final VivariumApi api;
    private final Workload workload;

    /**
     * The costs of one run.
     *
     * @param start from the POST to the first byte that it printed
     * @param processes for starting 20 processes and waiting for each
     * @param computing for two million additions in Python
     * @param calls for 5,000 system calls
     */
    public record Costs(Duration start, Duration processes, Duration computing, Duration calls) {}

    /** @param image an image with Python */
    public CostProbe(VivariumApi api, String image) {
        this.api = api;
        this.workload = new Workload(image, List.of("python3", "-c", PROGRAM));
    }

    /** Runs it once. */
    public Costs once(Isolation isolation) throws IOException {
        long began = System.nanoTime();
        RunId run = api.submit(workload, isolation);
        try (InputStream output = api.followOutput(run)) {
            int first = output.read();
            long start = System.nanoTime() - began;
            ByteArrayOutputStream rest = new ByteArrayOutputStream();
            output.transferTo(rest);
            if (first < 0 || rest.size() == 0) {
                throw new IOException("Run " + run + " did not say what it paid, and is " + api.awaitEnd(run) + ".");
            }
            JsonNode said = ApiJson.parse(rest.toByteArray());
            return new Costs(
                    Duration.ofNanos(start),
                    Duration.ofNanos(said.path("processes").asLong()),
                    Duration.ofNanos(said.path("computing").asLong()),
                    Duration.ofNanos(said.path("calls").asLong()));
        }
    }
}
