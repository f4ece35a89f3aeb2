package dev.vivarium.loadtests.history;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs programs to completion. */
final class Programs {
    private Programs() {}

    /**
     * Runs a program and returns its output.
     *
     * @throws IOException with its output, when it fails or takes longer
     */
    static String run(List<String> command, Map<String, String> environment, Duration atMost) throws IOException {
        // Not a pipe: processes that the program leaves running may hold it open.
        Path said = Files.createTempFile("vivarium-history-", ".out");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new IOException(
                        String.join(" ", command) + " has not ended in " + atMost.toSeconds() + " s: " + read(said));
            }
            if (process.exitValue() != 0) {
                throw new IOException(
                        String.join(" ", command) + " has ended with " + process.exitValue() + ": " + read(said));
            }
            return read(said);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } finally {
            Files.deleteIfExists(said);
        }
    }

    private static String read(Path said) throws IOException {
        return Files.readString(said, StandardCharsets.UTF_8).strip();
    }
}
