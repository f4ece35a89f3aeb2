package dev.vivarium.loadtests.subject;

import dev.vivarium.protocol.run.RunId;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * An agent that prints a line with its own time every few milliseconds, and when each line is seen outside. The clocks of
 * the agent, the node and this program are one, on the same machine.
 */
public final class PrintedLines {
    private static final long EXIT_SECONDS_MAX = 30;
    /** One write a line: without a buffer, print() makes two. */
    private static final String SCRIPT =
            """
            import os, sys, time
            for _ in range(int(sys.argv[1])):
                os.write(1, (str(time.time_ns()) + chr(10)).encode())
                time.sleep(float(sys.argv[2]))
            """;

    private final Workload workload;

    /**
     * One line.
     *
     * @param printed when the agent printed it
     * @param atNode when it reached the node, if there is one
     * @param seen when it reached this program
     */
    public record Line(Instant printed, Optional<Instant> atNode, Instant seen) {}

    public PrintedLines(String image, int lines, Duration every) {
        this.workload = new Workload(
                image,
                List.of("python3", "-c", SCRIPT, Integer.toString(lines), Double.toString(every.toNanos() / 1e9)));
    }

    /** The lines of a run, as a follower of its output sees them. */
    public List<Line> ofVivarium(VivariumApi api) throws IOException {
        RunId run = api.submit(workload);
        List<Line> lines = new ArrayList<>();
        StringBuilder begun = new StringBuilder();
        api.follow(run, chunk -> {
            Instant seen = Instant.now();
            begun.append(new String(chunk.data().toByteArray(), StandardCharsets.UTF_8));
            for (int end = begun.indexOf("\n"); end >= 0; end = begun.indexOf("\n")) {
                lines.add(new Line(time(begun.substring(0, end)), Optional.of(chunk.time()), seen));
                begun.delete(0, end + 1);
            }
        });
        return lines;
    }

    /** The lines of {@code docker run}, as its caller reads them. */
    public List<Line> ofDockerRun() throws IOException {
        Process process = new ProcessBuilder(workload.dockerRun("none"))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<Line> lines = new ArrayList<>();
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String text = reader.readLine(); text != null; text = reader.readLine()) {
                Instant seen = Instant.now();
                lines.add(new Line(time(text), Optional.empty(), seen));
            }
            if (!process.waitFor(EXIT_SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException("docker run did not end well.");
            }
        } catch (InterruptedException interrupted) {
            throw Pauses.interrupted();
        } finally {
            process.destroy();
        }
        return lines;
    }

    private static Instant time(String nanos) throws IOException {
        try {
            return Instant.EPOCH.plusNanos(Long.parseLong(nanos.strip()));
        } catch (NumberFormatException other) {
            throw new IOException("The agent printed '" + nanos + "' and no time.", other);
        }
    }
}
