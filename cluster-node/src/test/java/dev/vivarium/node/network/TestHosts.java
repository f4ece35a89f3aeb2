package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.vivarium.trials.outside.Internet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The hosts of the abuse suite, for tests. */
public final class TestHosts implements AutoCloseable {
    private static final Path PAYLOADS = Path.of("..", "examples", "abuse");

    private final Internet outside;

    /** @param suffix tells the hosts of one test from those of another; at most 8 letters */
    public TestHosts(String suffix) throws IOException {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        outside = Internet.begin(PAYLOADS, suffix);
    }

    /** The program by which a sandbox tries to reach places. */
    public String probe() {
        try {
            return outside.probe();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** The file with the authority of those that speak TLS. */
    public String authority() {
        return outside.authority();
    }

    /** All visits so far: protocol, source, address, port, and the text received. */
    public List<String> visits() {
        return outside.visits();
    }

    /** Runs a command on this machine; fails with what it printed. */
    public static String shell(String command) {
        try {
            Process process = new ProcessBuilder("sh", "-c", command)
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as("%s: %s", command, printed).isZero();
            return printed;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new AssertionError(interrupted);
        }
    }

    @Override
    public void close() {
        try {
            outside.close();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
