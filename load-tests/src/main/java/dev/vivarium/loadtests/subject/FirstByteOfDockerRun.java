package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** {@code docker run --rm}, as a user types it. */
public final class FirstByteOfDockerRun implements FirstByte {
    private final List<String> line;

    public FirstByteOfDockerRun(List<String> line) {
        this.line = List.copyOf(line);
    }

    @Override
    public Duration once() throws IOException {
        long began = System.nanoTime();
        Process process = new ProcessBuilder(line).start();
        int first = process.getInputStream().read();
        long took = System.nanoTime() - began;
        process.getInputStream().transferTo(OutputStream.nullOutputStream());
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
