package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;

/**
 * How long something that prints immediately takes to print. What a network adds to that is the time to attach it with
 * its policy.
 */
public final class StartProbe {
    private final Workload workload;

    /** @param image one with a shell */
    public StartProbe(String image) {
        this.workload = new Workload(image, List.of("sh", "-c", "echo"));
    }

    /** In a sandbox with this egress policy, from the POST on. */
    public Duration inSandbox(VivariumApi api, ObjectNode egress) throws IOException {
        ObjectNode submission = workload.submission();
        submission.set("egress", egress);
        long began = System.nanoTime();
        RunId run = api.submit(submission);
        try (InputStream output = api.followOutput(run)) {
            Duration start = untilFirst(output, began);
            api.awaitEnd(run);
            return start;
        }
    }

    /** In a container with this network, from the start of the engine's client on. */
    public Duration inContainer(String network) throws IOException {
        long began = System.nanoTime();
        Process process = new ProcessBuilder(workload.dockerRun(network, "--cpus", "1")).start();
        try (InputStream output = process.getInputStream()) {
            Duration start = untilFirst(output, began);
            process.waitFor();
            return start;
        } catch (InterruptedException interrupted) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static Duration untilFirst(InputStream output, long began) throws IOException {
        if (output.read() < 0) {
            throw new IOException("It ended without a word.");
        }
        return Duration.ofNanos(System.nanoTime() - began);
    }
}
