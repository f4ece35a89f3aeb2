package dev.vivarium.loadtests.subject;

import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** POST /v1/runs, then follows its output. Records the time of each step. */
public final class FirstByteOfVivarium implements FirstByte {
    private final VivariumApi api;
    private final Workload workload;
    private final List<Steps> steps = new ArrayList<>();

    /**
     * The steps of one run up to its first byte, by the clocks of client and node, which are one on the same machine.
     *
     * @param received from the POST to the event RunSubmitted
     * @param accepted from there to AttemptStarting: one durable write
     * @param made from there to AttemptStarted: one durable write, and the creation, claim and start of the sandbox
     * @param printed from there to the node's receipt of the first output
     * @param delivered from there to the first byte at the client: one durable write and the wake-up of the follower
     */
    public record Steps(Duration received, Duration accepted, Duration made, Duration printed, Duration delivered) {}

    public FirstByteOfVivarium(VivariumApi api, Workload workload) {
        this.api = api;
        this.workload = workload;
    }

    @Override
    public Duration once() throws IOException {
        Instant begun = Instant.now();
        long began = System.nanoTime();
        RunId run = api.submit(workload);
        Duration took;
        try (InputStream output = api.followOutput(run)) {
            if (output.read() < 0) {
                throw new IOException("Run " + run + " printed nothing and is " + api.status(run) + ".");
            }
            took = Duration.ofNanos(System.nanoTime() - began);
            output.transferTo(OutputStream.nullOutputStream());
        }
        RunStatus end = api.status(run);
        if (end != RunStatus.SUCCEEDED) {
            throw new IOException("Run " + run + " is " + end + " and not SUCCEEDED.");
        }
        remember(run, begun, begun.plus(took));
        return took;
    }

    private void remember(RunId run, Instant begun, Instant firstByte) throws IOException {
        Map<String, Instant> events = api.events(run);
        Instant submitted = happened(events, "RunSubmitted");
        Instant starting = happened(events, "AttemptStarting");
        Instant started = happened(events, "AttemptStarted");
        Optional<Instant> output = api.firstOutput(run);
        steps.add(new Steps(
                Duration.between(begun, submitted),
                Duration.between(submitted, starting),
                Duration.between(starting, started),
                Duration.between(started, output.orElseThrow()),
                Duration.between(output.orElseThrow(), firstByte)));
    }

    private static Instant happened(Map<String, Instant> events, String type) throws IOException {
        Instant at = events.get(type);
        if (at == null) {
            throw new IOException("The run has no event " + type + " but " + events.keySet() + ".");
        }
        return at;
    }

    /** The steps of the newest runs, up to the given number. */
    public List<Steps> newest(int count) {
        return List.copyOf(steps.subList(Math.max(0, steps.size() - count), steps.size()));
    }
}
