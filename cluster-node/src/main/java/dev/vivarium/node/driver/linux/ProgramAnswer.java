package dev.vivarium.node.driver.linux;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The output of a program of this machine that answers a query, such as for its version.
 *
 * @param exitCode its exit code
 * @param text the beginning of its output and errors
 */
public record ProgramAnswer(int exitCode, String text) {
    /** Such output is short. */
    private static final int BYTES_MAX = 4096;

    /**
     * Runs it without input, blocking. Its answer goes to a file, so that a child that it leaves behind is not waited for.
     *
     * @throws IOException if it cannot be started, or has not ended within the limit; it is killed then
     */
    public static ProgramAnswer of(Duration limit, String... command) throws IOException {
        Path answer = Files.createTempFile("vivarium-answer", ".txt");
        try {
            Process asked = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(answer.toFile())
                    .start();
            try {
                if (!asked.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new IOException("it had not answered after " + limit.toMillis() + " ms");
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IOException("the node is stopping", interrupted);
            } finally {
                asked.descendants().forEach(ProcessHandle::destroyForcibly);
                asked.destroyForcibly();
            }
            try (var in = Files.newInputStream(answer)) {
                return new ProgramAnswer(
                        asked.exitValue(), new String(in.readNBytes(BYTES_MAX), StandardCharsets.UTF_8));
            }
        } finally {
            Files.deleteIfExists(answer);
        }
    }
}
