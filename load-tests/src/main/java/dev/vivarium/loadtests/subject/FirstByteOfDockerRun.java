package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** {@code docker run --rm}, as a user types it. */
public final class FirstByteOfDockerRun implements FirstByte {
    private final Workload workload;

    public FirstByteOfDockerRun(Workload workload) {
        this.workload = workload;
    }

    @Override
    public Duration once() throws IOException {
        long began = System.nanoTime();
        Process process = new ProcessBuilder(workload.dockerRun()).start();
        int first = process.getInputStream().read();
        long took = System.nanoTime() - began;
        process.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
        try {
            int exit = process.waitFor();
            if (first < 0 || exit != 0) {
                throw new IOException("docker run ended with " + exit + ": "
                        + new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip());
            }
        } catch (InterruptedException interrupted) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
        return Duration.ofNanos(took);
    }
}
