package dev.vivarium.loadtests.subject;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A node of the benchmark's own: started by the launcher as a process, so that it shares no heap and no compiler with
 * what measures it, on a free port, with a data directory that goes with it. Closing stops it; so does the end of this
 * program.
 */
public final class NodeProcess implements AutoCloseable {
    private static final Pattern READY = Pattern.compile("ready at (http://\\S+)");
    private static final long STOP_SECONDS_MAX = 60;

    private final Process process;
    private final Path folder;
    private final URI uri;
    private final Thread lastWill = new Thread(this::takeAway, "take the node away");

    /**
     * Starts a node and returns once it is ready.
     *
     * @param root where the launcher is
     * @param home where state is kept; on the disk that a user's node has its data on, which /tmp often is not
     * @param config keys of its configuration that are to differ from the defaults
     */
    public static NodeProcess start(Path root, Path home, Map<String, String> config) throws IOException {
        Files.createDirectories(home);
        Path folder = Files.createTempDirectory(home, "bench-");
        Path log = folder.resolve("node.log");
        ProcessBuilder up = new ProcessBuilder(
                        root.resolve("vivarium").toString(),
                        "up",
                        "--port",
                        "0",
                        "--data",
                        folder.resolve("data").toString(),
                        "--drain",
                        "5s")
                .redirectError(log.toFile());
        up.environment()
                .merge(
                        "VIVARIUM_JAVA_OPTS",
                        config.entrySet().stream()
                                .map(entry -> "-D" + entry.getKey() + "=" + entry.getValue())
                                .collect(Collectors.joining(" ")),
                        (theirs, ours) -> theirs + " " + ours);
        Process process = up.start();
        Optional<URI> uri = Optional.empty();
        try {
            uri = readUri(process);
        } finally {
            if (uri.isEmpty()) {
                process.destroy();
            }
        }
        return new NodeProcess(
                process,
                folder,
                uri.orElseThrow(() -> new IOException("The node did not start; what it said is in " + log + ".")));
    }

    private NodeProcess(Process process, Path folder, URI uri) {
        this.process = process;
        this.folder = folder;
        this.uri = uri;
        Runtime.getRuntime().addShutdownHook(lastWill);
    }

    @SuppressWarnings("resource") // Closing the reader would close the node's standard output, which it may write to.
    private static Optional<URI> readUri(Process process) throws IOException {
        BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Matcher ready = READY.matcher(line);
            if (ready.find()) {
                return Optional.of(URI.create(ready.group(1)));
            }
        }
        return Optional.empty();
    }

    public URI uri() {
        return uri;
    }

    /** The node's own process: the launcher becomes it. */
    public long pid() {
        return process.pid();
    }

    @Override
    public void close() throws IOException {
        try {
            Runtime.getRuntime().removeShutdownHook(lastWill);
        } catch (IllegalStateException ending) {
            // This program is being ended, and the last will is carried out already.
            return;
        }
        stop();
        delete();
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted while the node stopped");
        }
    }

    private void takeAway() {
        stop();
        try {
            delete();
        } catch (IOException left) {
            System.err.println("vivarium bench: " + folder + " is left: " + left.getMessage());
        }
    }

    private void stop() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private void delete() throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
